import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Counters } from '../store-reader.ts';

/** What a commit group adds to the counters. */
export interface Tally {
  received: number;
  unique_processed: number;
  duplicate_dropped: number;
  conflicts: number;
  rejected: number;
}

/** The one row of counters; its checks hold the conservation law (received = unique_processed + duplicate_dropped). */
export class EventCounter {
  readonly #add: StatementSync;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare(`
      UPDATE counters SET
        last_position = ?, received = received + ?, unique_processed = unique_processed + ?,
        duplicate_dropped = duplicate_dropped + ?, conflicts = conflicts + ?, rejected = rejected + ?`);
  }

  add(lastPosition: number, change: Tally): void {
    this.#add.run(
      lastPosition,
      change.received,
      change.unique_processed,
      change.duplicate_dropped,
      change.conflicts,
      change.rejected,
    );
  }
}

export class CounterReader {
  readonly #read: StatementSync;

  constructor(db: DatabaseSync) {
    this.#read = db.prepare(
      'SELECT last_position, received, unique_processed, duplicate_dropped, conflicts, rejected FROM counters',
    );
  }

  counters(): Counters {
    const row = this.#row();
    return {
      received: row['received'] as number,
      unique_processed: row['unique_processed'] as number,
      duplicate_dropped: row['duplicate_dropped'] as number,
      conflicts: row['conflicts'] as number,
      rejected: row['rejected'] as number,
      // No queue server is in front of a store that belongs to one process.
      dead_lettered: 0,
      consumed: {},
    };
  }

  lastPosition(): number {
    return this.#row()['last_position'] as number;
  }

  #row() {
    const row = this.#read.get();
    if (!row) throw new Error('the counters row is missing');
    return row;
  }
}
