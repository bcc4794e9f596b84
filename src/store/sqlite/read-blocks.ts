import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { Block } from './block.ts';
import { instantColumns, instantOf } from './instant-column.ts';

const COLUMNS = `first_position, directory, records, ${instantColumns('processed_at_us', 'at')}`;

/** Blocks that one statement reads at most: between two of them others get their turn. About 1 MiB, 3,600 events. */
export const BLOCKS_AT_ONCE = 64;

export interface BlockRange {
  /** Of one topic alone, by its number. */
  readonly topicId: number | undefined;
  /** Blocks that may hold a position from here … */
  readonly oldest: number;
  /** … to here. */
  readonly newest: number;
  readonly ascending: boolean;
}

/** Reads blocks by position. */
export class BlockReader {
  readonly #at: StatementSync;
  readonly #firstOf: StatementSync;
  readonly #through: StatementSync;
  readonly #ascending: Statements;
  readonly #descending: Statements;

  constructor(db: DatabaseSync) {
    this.#at = db.prepare(
      `SELECT ${COLUMNS} FROM blocks WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1`,
    );
    this.#firstOf = db.prepare('SELECT max(first_position) AS first FROM blocks WHERE first_position <= ?');
    this.#through = db.prepare('SELECT topics_indexed_through AS through FROM counters');
    this.#ascending = prepare(db, 'ASC');
    this.#descending = prepare(db, 'DESC');
  }

  /** The block that holds this position, if any does. */
  at(position: number): Block | undefined {
    const row = this.#at.get(position);
    return row && toBlock(row);
  }

  /** Every block from the one that may hold this position on. */
  *from(position: number): Generator<Block> {
    const range = { topicId: undefined, newest: Number.MAX_SAFE_INTEGER, ascending: true };
    for (let oldest = this.holderOf(position); ; ) {
      let read = 0;
      for (const block of this.some({ ...range, oldest })) {
        yield block;
        oldest = block.firstPosition + 1;
        read++;
      }
      if (read < BLOCKS_AT_ONCE) return;
    }
  }

  /** Where the block begins that may hold a position: the last one that begins at it or before. */
  holderOf(position: number): number {
    return (this.#firstOf.get(position)?.['first'] as number | null) ?? position;
  }

  /** The first {@link BLOCKS_AT_ONCE} blocks of a range, one at a time; of those that begin in it. */
  *some(range: BlockRange): Generator<Block> {
    const { topicId, oldest, newest, ascending } = range;
    const { all, ofTopic } = ascending ? this.#ascending : this.#descending;
    if (topicId === undefined) {
      for (const row of all.iterate(oldest, newest, BLOCKS_AT_ONCE)) yield toBlock(row);
      return;
    }
    // The newest blocks are not noted by topic yet: all of them are looked at.
    const through = this.#through.get()?.['through'] as number;
    const noted = () => ofTopic.iterate(oldest, Math.min(newest, through), topicId, BLOCKS_AT_ONCE);
    const tail = () => all.iterate(Math.max(oldest, through + 1), newest, BLOCKS_AT_ONCE);
    let left = BLOCKS_AT_ONCE;
    for (const part of ascending ? [noted, tail] : [tail, noted]) {
      for (const row of part()) {
        if (left-- === 0) return;
        yield toBlock(row);
      }
    }
  }
}

interface Statements {
  readonly all: StatementSync;
  readonly ofTopic: StatementSync;
}

function prepare(db: DatabaseSync, order: 'ASC' | 'DESC'): Statements {
  return {
    all: db.prepare(`
      SELECT ${COLUMNS} FROM blocks WHERE first_position BETWEEN ? AND ?
      ORDER BY first_position ${order} LIMIT ?`),
    ofTopic: db.prepare(`
      SELECT ${COLUMNS} FROM topic_blocks CROSS JOIN blocks USING (first_position)
      WHERE first_position BETWEEN ? AND ? AND topic_id = ? ORDER BY first_position ${order} LIMIT ?`),
  };
}

function toBlock(row: Record<string, SQLOutputValue>): Block {
  return new Block(row['first_position'] as number, instantOf(row['at_s'], row['at_micros']), {
    directory: row['directory'] as Uint8Array,
    records: row['records'] as Uint8Array,
  });
}
