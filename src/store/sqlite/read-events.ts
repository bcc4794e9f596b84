import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Instant } from '../../instant.ts';
import { TopicFilter } from '../../topic-filter.ts';
import { PagePrinter } from '../page-printer.ts';
import { printProcessedAt } from '../print-event.ts';
import {
  type EventPage,
  type EventQuery,
  LOOK_MAX,
  PAGE_LENGTH_MAX,
  type PrintedPage,
  type PrintedQuery,
  type StoredEvent,
} from '../store-reader.ts';
import type { Block } from './block.ts';
import { CounterReader } from './count-events.ts';
import { BLOCKS_AT_ONCE, type BlockRange, BlockReader } from './read-blocks.ts';
import { TopicNames } from './topic-names.ts';

/** Pages of events, by position. */
export class EventReader {
  readonly #counters: CounterReader;
  readonly #blocks: BlockReader;
  readonly #topics: TopicNames;

  constructor(db: DatabaseSync) {
    this.#counters = new CounterReader(db);
    this.#blocks = new BlockReader(db);
    this.#topics = new TopicNames(db);
  }

  at(position: number): StoredEvent | undefined {
    const block = this.#blocks.at(position);
    const n = block?.indexOf(position) ?? -1;
    return block === undefined || n < 0 ? undefined : this.#topics.fresh().visible(block, n);
  }

  /** Those that lie in the same block are read with it, if they follow one another. */
  several(positions: readonly number[]): (StoredEvent | undefined)[] {
    const topics = this.#topics.fresh();
    let block: Block | undefined;
    return positions.map((position) => {
      if (block === undefined || block.indexOf(position) < 0) block = this.#blocks.at(position);
      const n = block?.indexOf(position) ?? -1;
      return block === undefined || n < 0 ? undefined : topics.visible(block, n);
    });
  }

  async page(query: EventQuery): Promise<EventPage> {
    const sink = new EventSink(this.#topics);
    const next = await this.#scan(query, sink);
    return { events: sink.events, next };
  }

  async printed(query: PrintedQuery): Promise<PrintedPage> {
    const sink = new PrintSink(this.#topics, new PagePrinter(query.printing, query.limit));
    const next = await this.#scan(query, sink);
    return sink.printer.finish(next);
  }

  /** @returns the cursor of the next page */
  async #scan(query: EventQuery, sink: PageSink): Promise<number | undefined> {
    const topics = this.#topics.fresh();
    const topicId = query.topic === undefined ? undefined : topics.idOf(query.topic);
    if (query.topic !== undefined && topicId === undefined) return undefined;

    const newest = Math.min(this.#counters.lastPosition(), (query.before ?? Number.MAX_SAFE_INTEGER) - 1);
    const oldest = (query.after ?? 0) + 1;
    const page = new PageScan(query, sink, oldest, newest, topicId, topics);
    const ascending = query.order === 'asc';
    let range: BlockRange = { topicId, oldest: this.#blocks.holderOf(oldest), newest, ascending };
    for (;;) {
      let read = 0;
      // Block by block: what is passed over, and what would be too much for the page, is never in memory together.
      for (const block of this.#blocks.some(range)) {
        if (!page.take(block)) return page.last;
        if (page.hasLookedEnough) return page.cursor;
        read++;
        if (ascending) range = { ...range, oldest: block.firstPosition + 1 };
        else range = { ...range, newest: block.firstPosition - 1 };
      }
      if (read < BLOCKS_AT_ONCE) return undefined;
      await nextTurn();
    }
  }
}

/** Bytes of a block that take as long to pass over as an event: 0.65 ms a megabyte, 1.5 µs an event. */
const BYTES_LOOKED = 2048;

/** Where the events of a page go. */
interface PageSink {
  /** Takes event `n` of a block. @returns the length of its payload */
  add(block: Block, n: number): number;
}

class EventSink implements PageSink {
  readonly events: StoredEvent[] = [];
  readonly #topics: TopicNames;

  constructor(topics: TopicNames) {
    this.#topics = topics;
  }

  add(block: Block, n: number): number {
    const event = this.#topics.toEvent(block, n);
    this.events.push(event);
    return event.payload.length;
  }
}

class PrintSink implements PageSink {
  readonly printer: PagePrinter;
  readonly #topics: TopicNames;
  #processedAt: Instant | undefined;
  #rest = Buffer.alloc(0);

  constructor(topics: TopicNames, printer: PagePrinter) {
    this.#topics = topics;
    this.printer = printer;
  }

  add(block: Block, n: number): number {
    if (block.processedAt !== this.#processedAt) {
      this.#processedAt = block.processedAt;
      this.#rest = Buffer.from(printProcessedAt(block.processedAt));
    }
    const record = block.record(n);
    const event = {
      position: block.position(n),
      topic: this.#topics.nameOf(block.topicId(n)),
      timestamp: block.timestamp(n),
      sequence: block.sequence(n),
    };
    this.printer.addRecord(event, record, this.#rest, block.mayBreak);
    return record.end - record.sourceEnd;
  }
}

/** Finds the events of a page. */
class PageScan {
  readonly #query: EventQuery;
  readonly #sink: PageSink;
  readonly #oldest: number;
  readonly #newest: number;
  readonly #topicId: number | undefined;
  readonly #topics: TopicNames;
  readonly #filter: TopicFilter | undefined;
  /** The last position that was looked at, in the order of the page. */
  #through: number;
  #taken = 0;
  #length = 0;
  #skip: number;
  #left: number;
  readonly #lengthMax: number;
  /** The position of the last event of the page. */
  last: number | undefined;

  constructor(
    query: EventQuery,
    sink: PageSink,
    oldest: number,
    newest: number,
    topicId: number | undefined,
    topics: TopicNames,
  ) {
    this.#query = query;
    this.#sink = sink;
    this.#oldest = oldest;
    this.#newest = newest;
    this.#topicId = topicId;
    this.#topics = topics;
    this.#skip = query.offset;
    this.#left = query.lookMax ?? LOOK_MAX;
    this.#lengthMax = query.lengthMax ?? PAGE_LENGTH_MAX;
    this.#through = query.order === 'asc' ? oldest - 1 : newest + 1;
    this.#filter = query.patterns && new TopicFilter(query.patterns);
  }

  /** Never before the offset has been passed over: it is not in the cursor. */
  get hasLookedEnough(): boolean {
    return this.#left <= 0 && this.#skip === 0;
  }

  /** Where the next page goes on; undefined when all has been looked at. */
  get cursor(): number | undefined {
    const isAtEnd =
      this.#query.order === 'asc' ? this.#through >= this.#newest : this.#through <= this.#oldest;
    return isAtEnd ? undefined : this.#through;
  }

  /** Takes the events of a block that match; false when the page was full before all of them were in. */
  take(block: Block): boolean {
    const ascending = this.#query.order === 'asc';
    for (let i = 0; i < block.length; i++) {
      const n = ascending ? i : block.length - 1 - i;
      if (!this.#matches(block, n)) continue;
      if (this.#skip > 0) {
        this.#skip--;
        continue;
      }
      if (this.#taken === this.#query.limit || this.#length >= this.#lengthMax) return false;
      this.#length += this.#sink.add(block, n);
      this.#taken++;
      this.last = block.position(n);
    }
    this.#looked(block, block.position(ascending ? block.length - 1 : 0));
    return true;
  }

  /** The block before the first position, from which a page begins, may have none of its range: then it brings nobody further. */
  #looked(block: Block, end: number): void {
    if (this.#query.order === 'asc' ? end <= this.#through : end >= this.#through) return;
    this.#through = end;
    // Large events take as long to pass over as many small ones.
    if (this.#skip === 0) this.#left -= Math.max(block.length, block.byteLength / BYTES_LOOKED);
  }

  #matches(block: Block, n: number): boolean {
    const { source, from, to } = this.#query;
    const position = block.position(n);
    if (position < this.#oldest || position > this.#newest) return false;
    if (this.#topicId !== undefined && block.topicId(n) !== this.#topicId) return false;
    if (this.#filter?.matches(this.#topics.nameOf(block.topicId(n))) === false) return false;
    if (this.#topics.isRetired(block.topicId(n), position)) return false;
    if (from !== undefined && block.timestamp(n) < from) return false;
    if (to !== undefined && block.timestamp(n) >= to) return false;
    return source === undefined || block.source(n) === source;
  }
}
