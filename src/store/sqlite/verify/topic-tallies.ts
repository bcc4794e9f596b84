import type { DatabaseSync } from 'node:sqlite';
import type { Block } from '../block.ts';
import { type FaultList, MEND } from './fault.ts';

/** Counts the events of each topic as they are read, to be held against the counters. 40 bytes a topic. */
export class TopicTallies {
  readonly #retiredBefore: Float64Array;
  /** Of the events that are there and not retired. */
  readonly #events: Float64Array;
  readonly #bytes: Float64Array;
  readonly #first: Float64Array;
  readonly #last: Float64Array;

  constructor(db: DatabaseSync) {
    const idMax = Number(db.prepare('SELECT coalesce(max(topic_id), 0) AS id FROM topics').get()?.['id']);
    const column = () => new Float64Array(idMax + 1);
    this.#retiredBefore = column();
    this.#events = column();
    this.#bytes = column();
    this.#first = column();
    this.#last = column();
    for (const row of db
      .prepare('SELECT topic_id, retired_before FROM topics WHERE retired_before > 0')
      .iterate()) {
      this.#retiredBefore[row['topic_id'] as number] = row['retired_before'] as number;
    }
  }

  add(block: Block): void {
    for (let n = 0; n < block.length; n++) {
      const topicId = block.topicId(n);
      const position = block.position(n);
      if (position < (this.#retiredBefore[topicId] ?? 0)) continue;
      this.#events[topicId]!++;
      this.#bytes[topicId]! += block.recordBytes(n);
      this.#first[topicId] ||= position;
      this.#last[topicId] = position;
    }
  }

  /** Holds what was counted against what the store has counted; all events must have been read. */
  check(db: DatabaseSync, faults: FaultList): void {
    const rows = db.prepare(`
      SELECT topic_id, topic, events, retired, bytes, retired_bytes, first_position, last_position FROM topics`);
    for (const row of rows.iterate()) {
      for (const what of this.#faultsOf(row)) {
        const where = `sekali.db, topic ${JSON.stringify(row['topic'])}`;
        faults.add('topic', { where, what, mend: MEND.restore });
      }
    }
  }

  *#faultsOf(row: Record<string, unknown>): Generator<string> {
    const topicId = row['topic_id'] as number;
    const [events, retired] = [row['events'] as number, row['retired'] as number];
    const found = this.#events[topicId]!;
    if (found + retired !== events) {
      yield `${events} events are counted, ${retired} of them retired, and ${found} are there`;
    }
    const left = (row['bytes'] as number) - (row['retired_bytes'] as number);
    if (this.#bytes[topicId] !== left) {
      yield `${left} bytes are counted that are not retired, and ${this.#bytes[topicId]} are there`;
    }
    const [first, last] = [row['first_position'] as number, row['last_position'] as number];
    if (found === 0) return;
    const isFirst = retired > 0 ? first <= this.#first[topicId]! : first === this.#first[topicId];
    if (!isFirst)
      yield `its first event is said to be at position ${first}, and is at ${this.#first[topicId]}`;
    if (last !== this.#last[topicId]) {
      yield `its last event is said to be at position ${last}, and is at ${this.#last[topicId]}`;
    }
  }
}
