import { patternExpression } from '../../topic-filter.ts';
import { type EventPage, type EventQuery, PAGE_LENGTH_MAX, type StoredEvent } from '../store.ts';
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
 */
export async function readEvents(read: Read, query: EventQuery, horizon: number): Promise<EventPage> {
  if (!isStorable(query.topic) || !isStorable(query.source)) return { events: [], next: undefined };
  const { where, values } = conditions(query, horizon);
  const order = query.order === 'asc' ? 'ASC' : 'DESC';
  // A statement without a name: it is planned for its values, so partitions out of range are not looked at.
  const rows = await read(
    `SELECT ${COLUMNS}, follower FROM (
       SELECT *,
           row_number() OVER w AS number,
           sum(octet_length(payload)) OVER w - octet_length(payload) AS length_before,
           lead(position) OVER (ORDER BY position ${order}) AS follower
         FROM (
           SELECT * FROM sekali.events e WHERE ${where}
             ORDER BY position ${order} LIMIT ${query.limit + 1} OFFSET ${query.offset}
         ) AS matching
         WINDOW w AS (ORDER BY position ${order} ROWS UNBOUNDED PRECEDING)
     ) AS e
     WHERE length_before < ${PAGE_LENGTH_MAX} AND number <= ${query.limit}
     ORDER BY position ${order}`,
    values,
  );
  const events = rows.map(toEvent);
  const hasNext = (rows.at(-1)?.at(-1) ?? null) !== null;
  return { events, next: hasNext ? events.at(-1)?.position : undefined };
}

/** PostgreSQL refuses a text with the character U+0000, so no event has one there. */
export function isStorable(text: string | undefined): boolean {
  return text?.includes('\0') !== true;
}

function conditions(query: EventQuery, horizon: number): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const parts: string[] = [];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    parts.push(condition(`$${values.length}`));
  };
  add((p) => `position <= ${p}::bigint`, Math.min(horizon, (query.before ?? Number.MAX_SAFE_INTEGER) - 1));
  if (query.after !== undefined) add((p) => `position > ${p}::bigint`, query.after);
  if (query.topic === undefined) {
    parts.push(IS_KEPT);
    if (query.patterns !== undefined) {
      add(
        (p) => `topic_id = ANY (ARRAY (SELECT topic_id FROM sekali.topics WHERE topic ~ ANY (${p}::text[])))`,
        query.patterns.filter(isStorable).map(patternExpression),
      );
    }
  } else {
    add((p) => {
      const ofTopic = (column: string) => `(SELECT ${column} FROM sekali.topics WHERE topic = ${p})`;
      return `topic_id = ${ofTopic('topic_id')} AND position >= ${ofTopic('retired_before')}`;
    }, query.topic);
  }
  if (query.source !== undefined) add((p) => `source = ${p}`, query.source);
  if (query.from !== undefined) add((p) => `"timestamp" >= ${p}::timestamptz`, timestampText(query.from));
  if (query.to !== undefined) add((p) => `"timestamp" < ${p}::timestamptz`, timestampText(query.to));
  return { where: parts.join(' AND '), values };
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
