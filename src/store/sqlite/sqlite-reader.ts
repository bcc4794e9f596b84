import type { DatabaseSync } from 'node:sqlite';
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
import { openReader } from './connection.ts';
import { CounterReader } from './count-events.ts';
import { type CountQuery, MatchCounter } from './count-matching.ts';
import { PositionFinder } from './position-before.ts';
import { ConflictReader } from './read-conflicts.ts';
import { EventReader } from './read-events.ts';
import { SequenceReader } from './read-sequences.ts';
import { TopicReader } from './read-topics.ts';

/** Reads through a connection of its own, so that no reader waits for a commit, and no commit for a reader. */
export class SqliteReader implements StoreReader {
  readonly #db: DatabaseSync;
  readonly #events: EventReader;
  readonly #matches: MatchCounter;
  readonly #sequences: SequenceReader;
  readonly #finder: PositionFinder;
  readonly #topics: TopicReader;
  readonly #counters: CounterReader;
  readonly #conflicts: ConflictReader;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#events = new EventReader(db);
    this.#matches = new MatchCounter(db);
    this.#sequences = new SequenceReader(db);
    this.#finder = new PositionFinder(db);
    this.#topics = new TopicReader(db);
    this.#counters = new CounterReader(db);
    this.#conflicts = new ConflictReader(db);
  }

  static open(dataDir: string): SqliteReader {
    return new SqliteReader(openReader(dataDir));
  }

  async events(query: EventQuery): Promise<EventPage> {
    return await this.#events.page(query);
  }

  async printed(query: PrintedQuery): Promise<PrintedPage> {
    return await this.#events.printed(query);
  }

  async eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#events.at(position);
  }

  async eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return this.#events.several(positions);
  }

  async countEvents(query: CountQuery): Promise<number> {
    return await this.#matches.count(query);
  }

  async sequences(query: SequenceQuery): Promise<SequencePage> {
    return await this.#sequences.page(query);
  }

  async positionBefore(timeMs: number): Promise<number> {
    return this.#finder.before(timeMs);
  }

  async lastPosition(): Promise<number> {
    return this.#counters.lastPosition();
  }

  async topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#topics.page(page);
  }

  async counters(): Promise<Counters> {
    return this.#counters.counters();
  }

  async conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#conflicts.page(query);
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
