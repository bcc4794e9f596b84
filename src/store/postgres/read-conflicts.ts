import type { Conflict, ConflictQuery } from '../store-reader.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import { isStorable } from './read-events.ts';
import type { Read } from './read-pool.ts';

/** Conflicts, newest first. There are at most CONFLICTS_KEPT of them: a filter may look at all. */
export async function readConflicts(read: Read, query: ConflictQuery): Promise<Conflict[]> {
  if (!isStorable(query.topic) || !isStorable(query.event_id)) return [];
  const rows = await read(
    `SELECT number, topic, event_id, position, ${instantColumn('"timestamp"')}, source, payload,
            ${instantColumn('received_at')}
       FROM sekali.conflicts JOIN sekali.topics USING (topic_id)
       WHERE number < $1::bigint AND ($2::text IS NULL OR topic = $2) AND ($3::text IS NULL OR event_id = $3)
       ORDER BY number DESC LIMIT $4::bigint`,
    [query.before ?? Number.MAX_SAFE_INTEGER, query.topic ?? null, query.event_id ?? null, query.limit],
  );
  return rows.map((row) => {
    const [number, topic, eventId, position, timestamp, source, payload, receivedAt] = row as string[];
    return {
      number: Number(number),
      topic: topic!,
      event_id: eventId!,
      position: Number(position),
      timestamp: instantOf(timestamp!),
      source: source!,
      payload: payload ?? undefined,
      received_at: instantOf(receivedAt!),
    };
  });
}
