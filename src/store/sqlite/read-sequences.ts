import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SequencedEvent, SequencePage, SequenceQuery } from '../store-reader.ts';
import type { Block } from './block.ts';
import { CounterReader } from './count-events.ts';
import { BLOCKS_AT_ONCE, type BlockRange, BlockReader } from './read-blocks.ts';
import { TopicNames } from './topic-names.ts';

/** Statements of one page: about 57,000 events are passed over by then, in some 30 ms. */
const STATEMENTS_MAX = 16;

/** Events that have a sequence, by position. */
export class SequenceReader {
  readonly #counters: CounterReader;
  readonly #blocks: BlockReader;
  readonly #topics: TopicNames;
  readonly #statementsMax: number;

  constructor(db: DatabaseSync, statementsMax = STATEMENTS_MAX) {
    this.#statementsMax = statementsMax;
    this.#counters = new CounterReader(db);
    this.#blocks = new BlockReader(db);
    this.#topics = new TopicNames(db);
  }

  async page(query: SequenceQuery): Promise<SequencePage> {
    // Before all else: what is committed from here on lies above it, also where it brings the topic into being.
    const newest = Math.max(query.after, this.#counters.lastPosition());
    const topics = this.#topics.fresh();
    const topicId = query.topic === undefined ? undefined : topics.idOf(query.topic);
    if (query.topic !== undefined && topicId === undefined) {
      return { events: [], through: newest, isAtEnd: true };
    }
    const page = new PageBuilder(query, topicId, topics);
    const oldest = this.#blocks.holderOf(query.after + 1);
    let range: BlockRange = { topicId, oldest, newest, ascending: true };
    for (let statements = 0; statements < this.#statementsMax; statements++) {
      let read = 0;
      for (const block of this.#blocks.some(range)) {
        if (!page.take(block)) return page.result();
        range = { ...range, oldest: block.firstPosition + 1 };
        read++;
      }
      if (read < BLOCKS_AT_ONCE) return { ...page.result(), through: newest, isAtEnd: true };
      await nextTurn();
    }
    return page.result();
  }
}

class PageBuilder {
  readonly #query: SequenceQuery;
  readonly #topicId: number | undefined;
  readonly #topics: TopicNames;
  readonly #events: SequencedEvent[] = [];
  #through: number;

  constructor(query: SequenceQuery, topicId: number | undefined, topics: TopicNames) {
    this.#query = query;
    this.#topicId = topicId;
    this.#topics = topics;
    this.#through = query.after;
  }

  /** Takes the events of a block that match; false when the page was full before all of them were in. */
  take(block: Block): boolean {
    for (let n = 0; n < block.length && block.hasSequences; n++) {
      const event = this.#match(block, n);
      if (event === undefined) continue;
      if (this.#events.length === this.#query.limit) return false;
      this.#events.push(event);
      this.#through = event.position;
    }
    this.#through = Math.max(this.#through, block.position(block.length - 1));
    return true;
  }

  #match(block: Block, n: number): SequencedEvent | undefined {
    const position = block.position(n);
    const topicId = block.topicId(n);
    const sequence = block.sequence(n);
    if (sequence === undefined || position <= this.#query.after) return undefined;
    if (this.#topicId !== undefined && topicId !== this.#topicId) return undefined;
    if (this.#topics.isRetired(topicId, position)) return undefined;
    const source = block.source(n);
    if (this.#query.source !== undefined && source !== this.#query.source) return undefined;
    return {
      position,
      topic: this.#topics.nameOf(topicId),
      source,
      sequence,
      processed_at: block.processedAt,
    };
  }

  result(): SequencePage {
    return { events: this.#events, through: this.#through, isAtEnd: false };
  }
}
