import type {
  Conflict,
  ConflictQuery,
  Counters,
  EventPage,
  EventQuery,
  StoredEvent,
  StoreReader,
  TopicSummary,
} from '../store.ts';
import { Horizon } from './horizon.ts';
import { readConflicts } from './read-conflicts.ts';
import { readCounters } from './read-counters.ts';
import { readEventAt, readEvents } from './read-events.ts';
import { ReadPool } from './read-pool.ts';
import { readTopics } from './read-topics.ts';
import { readStall, type Stall } from './stall.ts';

export interface PostgresReaderOptions {
  readonly databaseUrl: string;
}

/**
 * Reads what all instances have stored, through connections of its own. A server that is away, or has not been migrated yet,
 * fails the reads of that time with `store_unavailable`; later ones find it again.
 */
export class PostgresReader implements StoreReader {
  readonly #pool: ReadPool;
  readonly #horizon = new Horizon();

  private constructor(pool: ReadPool) {
    this.#pool = pool;
  }

  /** Connects with the first read. */
  static open({ databaseUrl }: PostgresReaderOptions): PostgresReader {
    return new PostgresReader(new ReadPool(databaseUrl));
  }

  events(query: EventQuery): Promise<EventPage> {
    return this.#pool.run(async (read) => await readEvents(read, query, await this.#horizon.read(read)));
  }

  eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#pool.run((read) => readEventAt(read, position));
  }

  /** The position up to which everything is settled, whether or not an event was stored at it. */
  lastPosition(): Promise<number> {
    return this.#pool.run((read) => this.#horizon.read(read));
  }

  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#pool.run((read) => readTopics(read, page));
  }

  counters(): Promise<Counters> {
    return this.#pool.run(readCounters);
  }

  conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#pool.run((read) => readConflicts(read, query));
  }

  /** What holds readers back, if anything has for longer than a second. */
  stall(): Promise<Stall | undefined> {
    return this.#pool.run(readStall);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
