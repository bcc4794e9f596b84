import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Block } from './block.ts';
import { BlockReader } from './read-blocks.ts';

/** Rows a statement. */
const ROWS = 50;
const COLUMNS = 4;

/**
 * Blocks that may wait to be noted. A reader of one topic reads the waiting ones all: 2 MiB at most, about 2 ms.
 *
 * Noting them in each group would write a page of 16 KiB for each topic of the group: of a small group, most of what it writes.
 */
const WAITING_MAX = 128;

/**
 * Notes which topics each block has, in `topic_blocks`, some blocks later: up to `counters.topics_indexed_through` all are
 * noted. What waits is derived from the blocks again when the store opens.
 */
export class TopicBlockLog {
  readonly #insertMany: StatementSync;
  readonly #insertOne: StatementSync;
  readonly #setThrough: StatementSync;
  /** topic number, first position, events, bytes; a row after the other. */
  #rows: number[] = [];
  #blocks = 0;

  constructor(db: DatabaseSync) {
    const insert = 'INSERT INTO topic_blocks (topic_id, first_position, events, bytes) VALUES ';
    this.#insertMany = db.prepare(insert + Array(ROWS).fill('(?, ?, ?, ?)').join(', '));
    this.#insertOne = db.prepare(`${insert}(?, ?, ?, ?)`);
    this.#setThrough = db.prepare('UPDATE counters SET topics_indexed_through = ?');
    this.#load(db);
  }

  /** Begins the rows of a block. */
  addBlock(): void {
    this.#blocks++;
  }

  add(topicId: number, firstPosition: number, events: number, bytes: number): void {
    this.#rows.push(topicId, firstPosition, events, bytes);
  }

  /** Writes what waits if it has become too much. At the end of a group, in its transaction. */
  flushIfDue(lastPosition: number): void {
    if (this.#blocks >= WAITING_MAX) this.flush(lastPosition);
  }

  flush(lastPosition: number): void {
    if (this.#blocks === 0) return;
    const rows = this.#sorted();
    const whole = rows.length - (rows.length % ROWS);
    for (let at = 0; at < whole; at += ROWS) this.#insertMany.run(...rows.slice(at, at + ROWS).flat());
    for (const row of rows.slice(whole)) this.#insertOne.run(...row);
    this.#setThrough.run(lastPosition);
    this.#rows = [];
    this.#blocks = 0;
  }

  /** By topic: the rows of one lie on the same pages. */
  #sorted(): number[][] {
    const rows: number[][] = [];
    for (let at = 0; at < this.#rows.length; at += COLUMNS) rows.push(this.#rows.slice(at, at + COLUMNS));
    return rows.sort((one, other) => one[0]! - other[0]! || one[1]! - other[1]!);
  }

  #load(db: DatabaseSync): void {
    const through = topicsIndexedThrough(db);
    const blocks = new BlockReader(db);
    for (const block of blocks.from(through + 1)) {
      if (block.firstPosition <= through) continue; // the one that holds it, and is noted
      this.addBlock();
      for (const [topicId, { events, bytes }] of sumByTopic(block)) {
        this.add(topicId, block.firstPosition, events, bytes);
      }
    }
  }
}

/** Which topics a block has, and how much of each. */
export function sumByTopic(block: Block): Map<number, { events: number; bytes: number }> {
  const sums = new Map<number, { events: number; bytes: number }>();
  for (let n = 0; n < block.length; n++) {
    const sum = sums.get(block.topicId(n)) ?? { events: 0, bytes: 0 };
    sum.events++;
    sum.bytes += block.recordBytes(n);
    sums.set(block.topicId(n), sum);
  }
  return sums;
}

/** Up to this position, `topic_blocks` has every block. */
export function topicsIndexedThrough(db: DatabaseSync): number {
  return db.prepare('SELECT topics_indexed_through AS through FROM counters').get()?.['through'] as number;
}
