import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Conflict, ConflictQuery } from '../store-reader.ts';
import { instantColumns, instantOf } from './instant-column.ts';

export class ConflictReader {
  readonly #page: StatementSync;

  constructor(db: DatabaseSync) {
    // At most CONFLICTS_KEPT rows: a filter may look at all of them.
    this.#page = db.prepare(`
      SELECT number, topic, event_id, position, source, payload,
        ${instantColumns('timestamp_us', 'timestamp')}, ${instantColumns('received_at_us', 'received')}
      FROM conflicts JOIN topics USING (topic_id)
      WHERE number < :before AND (:topic IS NULL OR topic = :topic) AND (:event_id IS NULL OR event_id = :event_id)
      ORDER BY number DESC LIMIT :limit`);
  }

  page(query: ConflictQuery): Conflict[] {
    const rows = this.#page.all({
      before: query.before ?? Number.MAX_SAFE_INTEGER,
      topic: query.topic ?? null,
      event_id: query.event_id ?? null,
      limit: query.limit,
    });
    return rows.map((row) => ({
      number: row['number'] as number,
      topic: row['topic'] as string,
      event_id: row['event_id'] as string,
      position: row['position'] as number,
      timestamp: instantOf(row['timestamp_s'], row['timestamp_micros']),
      source: row['source'] as string,
      payload: (row['payload'] as string | null) ?? undefined,
      received_at: instantOf(row['received_s'], row['received_micros']),
    }));
  }
}
