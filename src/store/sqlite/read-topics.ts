import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TopicSummary } from '../store-reader.ts';
import { instantColumns, instantOf } from './instant-column.ts';

export class TopicReader {
  readonly #page: StatementSync;

  constructor(db: DatabaseSync) {
    this.#page = db.prepare(`
      SELECT topic, events, retired, duplicates, conflicts, first_position, last_position,
        ${instantColumns('first_at_us', 'first')}, ${instantColumns('last_at_us', 'last')}
      FROM topics WHERE topic > ? ORDER BY topic LIMIT ?`);
  }

  page({ after, limit }: { after: string | undefined; limit: number }): TopicSummary[] {
    return this.#page.all(after ?? '', limit).map((row) => ({
      topic: row['topic'] as string,
      events: row['events'] as number,
      retired: row['retired'] as number,
      duplicates: row['duplicates'] as number,
      conflicts: row['conflicts'] as number,
      first_position: row['first_position'] as number,
      last_position: row['last_position'] as number,
      first_at: instantOf(row['first_s'], row['first_micros']),
      last_at: instantOf(row['last_s'], row['last_micros']),
    }));
  }
}
