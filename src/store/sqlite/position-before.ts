import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BlockReader } from './read-blocks.ts';

/**
 * Finds where in the log a time lies: some 30 blocks are looked at, halving what is left, for there is no index by time. Where the clock
 * was set back, several places have the time between their neighbours; it is one of them.
 */
export class PositionFinder {
  readonly #blocks: BlockReader;
  readonly #ends: StatementSync;
  readonly #at: StatementSync;

  constructor(db: DatabaseSync) {
    this.#blocks = new BlockReader(db);
    this.#ends = db.prepare('SELECT min(first_position) AS first, max(first_position) AS last FROM blocks');
    this.#at = db.prepare(`
      SELECT first_position, processed_at_us < ? AS is_before FROM blocks
      WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1`);
  }

  /** Highest position of what was stored before a time, in milliseconds since the epoch; 0 when there is none. */
  before(timeMs: number): number {
    const ends = this.#ends.get() as { first: number | null; last: number | null };
    let before = 0; // a block begins here that is before the time, if any is known
    let low = ends.first ?? 1;
    let high = ends.last ?? 0;
    while (low <= high) {
      const middle = low + Math.floor((high - low) / 2);
      const row = this.#at.get(timeMs * 1000, middle) as
        | { first_position: number; is_before: number }
        | undefined;
      if (row === undefined || row.is_before === 1) {
        before = row?.first_position ?? before;
        low = middle + 1;
      } else high = row.first_position - 1;
    }
    const block = before === 0 ? undefined : this.#blocks.at(before);
    return block === undefined ? 0 : block.position(block.length - 1);
  }
}
