import { printPage } from '../page-printer.ts';
import type {
  Conflict,
  ConflictQuery,
  Counters,
  EventPage,
  EventQuery,
  PrintedPage,
  PrintedQuery,
  SequencePage,
  SequenceQuery,
  StoredEvent,
  StoreReader,
  TopicSummary,
} from '../store-reader.ts';
import { countEvents } from './count-matching.ts';
import { Horizon } from './horizon.ts';
import { positionBefore } from './position-before.ts';
import { readConflicts } from './read-conflicts.ts';
import { readCounters } from './read-counters.ts';
import { readEventAt, readEvents, readEventsAt } from './read-events.ts';
import { makeReadPool } from './read-pool.ts';
import { readSequences } from './read-sequences.ts';
import { readTopics } from './read-topics.ts';
import type { SqlPool } from './sql-pool.ts';
import { readStall, type Stall } from './stall.ts';

export interface PostgresReaderOptions {
  readonly databaseUrl: string;
}

/**
 * Connections that one instance reads through: most of them for pages, which a filter that no index helps may hold for the whole
 * time of a statement, and some that are never held for long. By these it is told whether the database is there, which must not
 * depend on what readers ask for.
 */
const PAGE_CONNECTIONS = 6;
const STATE_CONNECTIONS = 2;

/**
 * Reads what all instances have stored, through connections of its own. A server that is away, or has not been migrated yet,
 * fails the reads of that time with `store_unavailable`; later ones find it again.
 */
export class PostgresReader implements StoreReader {
  readonly #horizon = new Horizon();
  readonly #pages: SqlPool;
  readonly #state: SqlPool;

  private constructor(databaseUrl: string) {
    const onConnect = () => this.#horizon.forget();
    this.#pages = makeReadPool({ databaseUrl, connectionsMax: PAGE_CONNECTIONS, onConnect });
    this.#state = makeReadPool({ databaseUrl, connectionsMax: STATE_CONNECTIONS, onConnect });
  }

  /** Connects with the first read. */
  static open({ databaseUrl }: PostgresReaderOptions): PostgresReader {
    return new PostgresReader(databaseUrl);
  }

  events(query: EventQuery): Promise<EventPage> {
    return this.#pages.run(async (read) => await readEvents(read, query, await this.#horizon.read(read)));
  }

  async printed(query: PrintedQuery): Promise<PrintedPage> {
    return printPage(await this.events(query), query.printing);
  }

  eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#pages.run((read) => readEventAt(read, position));
  }

  eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return this.#pages.run((read) => readEventsAt(read, positions));
  }

  countEvents(query: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): Promise<number> {
    return this.#pages.run(async (read) => await countEvents(read, query, await this.#horizon.read(read)));
  }

  sequences(query: SequenceQuery): Promise<SequencePage> {
    return this.#pages.run(async (read) => await readSequences(read, query, await this.#horizon.read(read)));
  }

  positionBefore(timeMs: number): Promise<number> {
    return this.#pages.run(
      async (read) => await positionBefore(read, timeMs, await this.#horizon.read(read)),
    );
  }

  /** The position up to which everything is settled, whether or not an event was stored at it. */
  lastPosition(): Promise<number> {
    return this.#state.run((read) => this.#horizon.read(read));
  }

  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#pages.run((read) => readTopics(read, page));
  }

  counters(): Promise<Counters> {
    return this.#state.run(readCounters);
  }

  conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#pages.run((read) => readConflicts(read, query));
  }

  /** What holds readers back, if anything has for longer than a second. */
  stall(): Promise<Stall | undefined> {
    return this.#state.run(readStall);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pages.close(), this.#state.close()]);
  }
}
