import { patternExpression } from '../../topic-filter.ts';
import {
  type EventPage,
  type EventQuery,
  LOOK_MAX,
  PAGE_LENGTH_MAX,
  type StoredEvent,
} from '../store-reader.ts';
import { instantColumn, instantOf, timestampText } from './instant-column.ts';
import type { Read } from './read-pool.ts';

const COLUMNS = `
  position, (SELECT topic FROM sekali.topics t WHERE t.topic_id = e.topic_id), event_id,
  ${instantColumn('"timestamp"')}, source, payload, ${instantColumn('processed_at')}, sequence`;

// As a subquery, never as a join: a join may come in another order than that of the positions, and then be sorted.
export const IS_KEPT =
  'position >= (SELECT retired_before FROM sekali.topics t WHERE t.topic_id = e.topic_id)';

/** The event at a position, settled or not: whoever has the position has its receipt. */
export async function readEventAt(read: Read, position: number): Promise<StoredEvent | undefined> {
  const rows = await read(`SELECT ${COLUMNS} FROM sekali.events e WHERE position = $1 AND ${IS_KEPT}`, [
    position,
  ]);
  return rows[0] && toEvent(rows[0]);
}

/** The events at positions, in their order, settled or not. */
export async function readEventsAt(
  read: Read,
  positions: readonly number[],
): Promise<(StoredEvent | undefined)[]> {
  if (positions.length === 0) return [];
  const rows = await read(
    `SELECT ${COLUMNS} FROM sekali.events e WHERE position = ANY ($1::bigint[]) AND ${IS_KEPT}`,
    [positions],
  );
  const found = new Map(rows.map(toEvent).map((event) => [event.position, event]));
  return positions.map((position) => found.get(position));
}

/** One page of the events up to the horizon. */
export async function readEvents(read: Read, query: EventQuery, horizon: number): Promise<EventPage> {
  if (!isStorable(query.topic) || !isStorable(query.source)) return { events: [], next: undefined };
  const topicId = query.topic === undefined ? undefined : await readTopicId(read, query.topic);
  if (query.topic !== undefined && topicId === undefined) return { events: [], next: undefined };
  const { range, where, values } = conditions(query, topicId, horizon);
  // A statement without a name: it is planned for its values, so partitions out of range are not looked at.
  const rows = await read(pageStatement(query, range, where), values);
  const last = rows.findIndex(([, topic]) => topic === null);
  const events = (last < 0 ? rows : rows.slice(0, last)).map(toEvent);
  const hasFollower = (rows[events.length - 1]?.at(-1) ?? null) !== null;
  if (hasFollower) return { events, next: events.at(-1)?.position };
  return { events, next: last < 0 ? undefined : Number(rows[last]![0]) };
}

/**
 * A page ends once its payloads are too long together, and the database finds out where, from the lengths alone: `octet_length` of a
 * payload that lies compressed or elsewhere needs none of it. (It counts bytes, so the page is never longer than promised.)
 * Each row says which one follows it, so the last one knows whether there is a next page.
 *
 * For what no index finds, so many events are looked at, in their order, and no more. Where they end is told by a row of its own, behind
 * the others: by going through them once more, in the same statement and so the same snapshot, and only when all were looked at.
 */
function pageStatement(query: EventQuery, range: string, where: string): string {
  const { limit, offset, lookMax = LOOK_MAX } = query;
  const order = query.order === 'asc' ? 'ASC' : 'DESC';
  // An offset is not in the cursor.
  const isBounded = where !== '' && offset === 0;
  const seen = (columns: string, rest: string) =>
    `(SELECT ${columns} FROM sekali.events e WHERE ${range} ORDER BY position ${order} ${rest}) AS e`;
  const all = [range, where].filter((part) => part !== '').join(' AND ');
  return `
    WITH matching AS MATERIALIZED (
      SELECT * FROM ${isBounded ? `${seen('*', `LIMIT ${lookMax}`)} WHERE ${where}` : `sekali.events e WHERE ${all}`}
        ORDER BY position ${order} LIMIT ${limit + 1} OFFSET ${offset}
    ), page AS (
      SELECT *,
          row_number() OVER w AS number,
          sum(octet_length(payload)) OVER w - octet_length(payload) AS length_before,
          lead(position) OVER (ORDER BY position ${order}) AS follower
        FROM matching WINDOW w AS (ORDER BY position ${order} ROWS UNBOUNDED PRECEDING)
    )
    (SELECT ${COLUMNS}, follower FROM page AS e
       WHERE length_before < ${query.lengthMax ?? PAGE_LENGTH_MAX} AND number <= ${limit} ORDER BY position ${order})
    UNION ALL
    (SELECT position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
       FROM ${seen('position', `LIMIT 1 OFFSET ${lookMax - 1}`)}
       WHERE ${isBounded} AND (SELECT count(*) FROM matching) <= ${limit})`;
}

/** PostgreSQL refuses a text with the character U+0000, so no event has one there. */
export function isStorable(text: string | undefined): boolean {
  return text?.includes('\0') !== true;
}

/**
 * Asked for before the page: of a number that is known, the database knows how rare it is. Of one that the same statement has yet to
 * find it takes the average of all, and goes through everything by position in search of a topic that has next to nothing.
 */
export async function readTopicId(read: Read, topic: string): Promise<string | undefined> {
  const rows = await read('SELECT topic_id FROM sekali.topics WHERE topic = $1', [topic]);
  return rows[0]?.[0] ?? undefined;
}

/** `range` is what an index finds: positions, and those of one topic. `where` is what has to be looked at. */
function conditions(
  query: EventQuery,
  topicId: string | undefined,
  horizon: number,
): { range: string; where: string; values: unknown[] } {
  const values: unknown[] = [];
  const ranges: string[] = [];
  const parts: string[] = [];
  const add = (to: string[], condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    to.push(condition(`$${values.length}`));
  };
  const highest = Math.min(horizon, (query.before ?? Number.MAX_SAFE_INTEGER) - 1);
  add(ranges, (p) => `position <= ${p}::bigint`, highest);
  if (query.after !== undefined) add(ranges, (p) => `position > ${p}::bigint`, query.after);
  if (topicId === undefined) {
    parts.push(IS_KEPT);
    if (query.patterns !== undefined) {
      add(
        parts,
        (p) => `topic_id = ANY (ARRAY (SELECT topic_id FROM sekali.topics WHERE topic ~ ANY (${p}::text[])))`,
        query.patterns.filter(isStorable).map(patternExpression),
      );
    }
  } else {
    add(
      ranges,
      (p) =>
        `topic_id = ${p}::integer AND position >= (SELECT retired_before FROM sekali.topics WHERE topic_id = ${p}::integer)`,
      topicId,
    );
  }
  if (query.source !== undefined) add(parts, (p) => `source = ${p}`, query.source);
  if (query.from !== undefined)
    add(parts, (p) => `"timestamp" >= ${p}::timestamptz`, timestampText(query.from));
  if (query.to !== undefined) add(parts, (p) => `"timestamp" < ${p}::timestamptz`, timestampText(query.to));
  return { range: ranges.join(' AND '), where: parts.join(' AND '), values };
}

function toEvent(row: readonly (string | null)[]): StoredEvent {
  const [position, topic, eventId, timestamp, source, payload, processedAt, sequence] = row as string[];
  return {
    position: Number(position),
    topic: topic!,
    event_id: eventId!,
    timestamp: instantOf(timestamp!),
    source: source!,
    payload: payload!,
    processed_at: instantOf(processedAt!),
    // null, where a publisher gave none.
    sequence: (sequence ?? undefined) === undefined ? undefined : Number(sequence),
  };
}
