import type { DatabaseSync } from 'node:sqlite';
import type { Block } from '../block.ts';
import { sumByTopic } from '../topic-block-log.ts';
import { type FaultList, MEND } from './fault.ts';

const WHERE = 'sekali.db, topic_blocks';

/**
 * Holds the table that says which blocks have a topic against the blocks. Its rows are in the order of topics, those of the
 * blocks in that of positions: so their sums are compared, of a hash of each row; only where these differ is each row looked for.
 */
export class TopicBlockSums {
  readonly #through: number;
  #rows = 0;
  #sum = 0;

  /** @param through the table has the blocks that begin up to this position */
  constructor(through: number) {
    this.#through = through;
  }

  add(block: Block): void {
    if (block.firstPosition > this.#through) return;
    for (const [topicId, { events, bytes }] of sumByTopic(block)) {
      this.#rows++;
      this.#sum = (this.#sum + hashOf(topicId, block.firstPosition, events, bytes)) % 2 ** 52;
    }
  }

  /** All blocks have been added. */
  check(db: DatabaseSync, blocks: () => Iterable<Block>, faults: FaultList): void {
    let rows = 0;
    let sum = 0;
    for (const row of db
      .prepare('SELECT topic_id, first_position, events, bytes FROM topic_blocks')
      .iterate()) {
      rows++;
      const { topic_id, first_position, events, bytes } = row as Record<string, number>;
      sum = (sum + hashOf(topic_id!, first_position!, events!, bytes!)) % 2 ** 52;
    }
    if (rows === this.#rows && sum === this.#sum) return;
    const told = faults.count;
    this.#findRows(db, blocks(), faults);
    if (faults.count > told) return;
    const what = `it has ${rows} rows, ${rows - this.#rows} more than the blocks call for`;
    faults.add('topic block', { where: WHERE, what, mend: MEND.restore });
  }

  #findRows(db: DatabaseSync, blocks: Iterable<Block>, faults: FaultList): void {
    const find = db.prepare(
      'SELECT events, bytes FROM topic_blocks WHERE topic_id = ? AND first_position = ?',
    );
    for (const block of blocks) {
      if (block.firstPosition > this.#through) return;
      for (const [topicId, { events, bytes }] of sumByTopic(block)) {
        const row = find.get(topicId, block.firstPosition);
        if (row?.['events'] === events && row['bytes'] === bytes) continue;
        const said =
          row === undefined
            ? 'no events'
            : `${Number(row['events'])} events of ${Number(row['bytes'])} bytes`;
        const where = `${WHERE}, topic ${topicId}, block at position ${block.firstPosition}`;
        const what = `it says ${said}, and the block has ${events} of ${bytes} bytes`;
        faults.add('topic block', { where, what, mend: MEND.restore });
      }
    }
  }
}

/** A number below 2^52, so that sums of two stay exact. */
function hashOf(...values: number[]): number {
  let low = 0x9e3779b1;
  let high = 0x85ebca6b;
  for (const value of values) {
    for (const word of [value | 0, Math.floor(value / 2 ** 32)]) {
      low = Math.imul(low ^ word, 0x9e3779b1);
      low ^= low >>> 15;
      high = Math.imul(high ^ word, 0x27d4eb2d);
      high ^= high >>> 13;
    }
  }
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}
