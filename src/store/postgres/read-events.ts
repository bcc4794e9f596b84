import { patternExpression } from '../../topic-filter.ts';
import { type EventPage, type EventQuery, LOOK_MAX, PAGE_LENGTH_MAX, type StoredEvent } from '../store.ts';
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

/**
 * One page of the events up to the horizon.
 *
 * It ends once its payloads are too long together, and the database finds out where, from the lengths alone: `octet_length` of a
 * payload that lies compressed or elsewhere needs none of it. (It counts bytes, so the page is never longer than promised.)
 * Each row says which one follows it, so the last one knows whether there is a next page.
 *
 * It looks at so many events, in their order, and at no more: a filter has no index. Where they end is found by going through them
 * once more, in the same statement and so the same snapshot, and only when they were all looked at.
 */
export async function readEvents(read: Read, query: EventQuery, horizon: number): Promise<EventPage> {
  if (!isStorable(query.topic) || !isStorable(query.source)) return { events: [], next: undefined };
  const { range, where, values } = conditions(query, horizon);
  const order = query.order === 'asc' ? 'ASC' : 'DESC';
  const lookMax = query.lookMax ?? LOOK_MAX;
  const isBounded = query.offset === 0;
  const seen = (columns: string, rest: string) =>
    `SELECT ${columns} FROM sekali.events e WHERE ${range} ORDER BY position ${order} ${rest}`;
  // A statement without a name: it is planned for its values, so partitions out of range are not looked at.
  const rows = await read(
    `WITH matching AS MATERIALIZED (
       SELECT * FROM (${seen('*', isBounded ? `LIMIT ${lookMax}` : '')}) AS e WHERE ${where}
         ORDER BY position ${order} LIMIT ${query.limit + 1} OFFSET ${query.offset}
     ), page AS (
       SELECT *,
           row_number() OVER w AS number,
           sum(octet_length(payload)) OVER w - octet_length(payload) AS length_before,
           lead(position) OVER (ORDER BY position ${order}) AS follower
         FROM matching WINDOW w AS (ORDER BY position ${order} ROWS UNBOUNDED PRECEDING)
     )
     (SELECT ${COLUMNS}, follower FROM page AS e
        WHERE length_before < ${PAGE_LENGTH_MAX} AND number <= ${query.limit} ORDER BY position ${order})
     UNION ALL
     (SELECT position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM (${seen('position', `LIMIT 1 OFFSET ${lookMax - 1}`)}) AS last
        WHERE ${isBounded} AND (SELECT count(*) FROM matching) <= ${query.limit})`,
    values,
  );
  const last = rows.findIndex((row) => row[1] === null);
  const [found, end] = last < 0 ? [rows, undefined] : [rows.slice(0, last), Number(rows[last]![0])];
  const events = found.map(toEvent);
  const hasFollower = (found.at(-1)?.at(-1) ?? null) !== null;
  return { events, next: hasFollower ? events.at(-1)?.position : end };
}

/** PostgreSQL refuses a text with the character U+0000, so no event has one there. */
export function isStorable(text: string | undefined): boolean {
  return text?.includes('\0') !== true;
}

function ofTopic(column: string, parameter: string): string {
  return `(SELECT ${column} FROM sekali.topics WHERE topic = ${parameter})`;
}

/** `range` is what an index finds: positions, and those of one topic. `where` is what has to be looked at. */
function conditions(query: EventQuery, horizon: number): { range: string; where: string; values: unknown[] } {
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
  if (query.topic === undefined) {
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
      (p) => `topic_id = ${ofTopic('topic_id', p)} AND position >= ${ofTopic('retired_before', p)}`,
      query.topic,
    );
  }
  if (query.source !== undefined) add(parts, (p) => `source = ${p}`, query.source);
  if (query.from !== undefined)
    add(parts, (p) => `"timestamp" >= ${p}::timestamptz`, timestampText(query.from));
  if (query.to !== undefined) add(parts, (p) => `"timestamp" < ${p}::timestamptz`, timestampText(query.to));
  return { range: ranges.join(' AND '), where: parts.join(' AND ') || 'true', values };
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
