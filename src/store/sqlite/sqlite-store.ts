import type { DatabaseSync } from 'node:sqlite';
import { type Clock, systemClock } from '../../clock.ts';
import { SekaliError } from '../../errors.ts';
import { KeyHasher } from '../dedup/key.ts';
import type { KeyIndex } from '../dedup/key-index.ts';
import { addEntries } from '../dedup/key-log.ts';
import { MemoryKeyIndex } from '../dedup/memory-index.ts';
import type {
  Batch,
  Conflict,
  ConflictQuery,
  Counters,
  EventPage,
  EventQuery,
  Receipt,
  Store,
  StoredEvent,
  TopicSummary,
} from '../store.ts';
import { Appender } from './append.ts';
import { openWriter } from './connection.ts';
import { CounterReader } from './count-events.ts';
import { migrate } from './migrate.ts';
import { SqliteReader } from './sqlite-reader.ts';

export interface SqliteStoreOptions {
  dataDir: string;
  clock?: Clock;
  /** What looks keys up; empty when given. */
  index?: KeyIndex;
}

/**
 * The store in one SQLite file. It works on the thread that calls it, and blocks that for as long as the disk takes:
 * the server gives it a thread of its own (ingest/commit-thread.ts).
 */
export class SqliteStore implements Store {
  readonly contentSeed: { high: number; low: number };
  readonly #db: DatabaseSync;
  readonly #reader: SqliteReader;
  readonly #index: KeyIndex;
  readonly #hasher: KeyHasher;
  readonly #appender: Appender;

  private constructor(db: DatabaseSync, reader: SqliteReader, index: KeyIndex, clock: Clock) {
    this.#db = db;
    this.#reader = reader;
    this.#index = index;
    this.contentSeed = readSeed(db);
    this.#hasher = new KeyHasher(readMeta(db, 'key_secret'));
    this.#appender = new Appender({ db, index, hasher: this.#hasher, clock });
  }

  /**
   * Opens the store, makes or migrates it if it has to, and fills the index from the log of keys.
   *
   * @throws SekaliError `schema_newer`, `store_damaged`
   */
  static open({
    dataDir,
    clock = systemClock,
    index = new MemoryKeyIndex(),
  }: SqliteStoreOptions): SqliteStore {
    const db = openWriter(dataDir);
    try {
      migrate(db);
      settle(db);
      loadKeys(db, index);
      return new SqliteStore(db, SqliteReader.open(dataDir), index, clock);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async append(batches: readonly Batch[]): Promise<Receipt[][]> {
    try {
      return this.#appender.append(batches);
    } catch (error) {
      throw new SekaliError('store_unavailable', `the commit failed: ${messageOf(error)}`, { cause: error });
    }
  }

  async find(topic: string, eventId: string): Promise<number | undefined> {
    return this.#index.find(this.#hasher.hash(topic, eventId))?.position;
  }

  keyStats(): { keys: number; bytes: number } {
    return { keys: this.#index.size, bytes: this.#index.bytes };
  }

  events(query: EventQuery): Promise<EventPage> {
    return this.#reader.events(query);
  }

  eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#reader.eventAt(position);
  }

  lastPosition(): Promise<number> {
    return this.#reader.lastPosition();
  }

  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#reader.topics(page);
  }

  counters(): Promise<Counters> {
    return this.#reader.counters();
  }

  conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#reader.conflicts(query);
  }

  async close(): Promise<void> {
    await this.#reader.close();
    this.#db.close();
  }
}

/**
 * Settles what an earlier process left in the write-ahead log, by folding all of it into the database file.
 *
 * After a failed fsync the log may hold a group that the page cache shows and the disk does not have, and a second fsync
 * of the same pages may report success without writing them. Folding writes the pages again, to another file, and syncs
 * that: only then is what is read also what is stored.
 */
function settle(db: DatabaseSync): void {
  const result = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (result?.['busy'] !== 0) {
    throw new SekaliError('store_unavailable', 'the write-ahead log is being read by another process');
  }
}

function loadKeys(db: DatabaseSync, index: KeyIndex): void {
  let expected = 1;
  const rows = db.prepare('SELECT first_position, entries FROM keys ORDER BY first_position').iterate();
  for (const row of rows) {
    const first = row['first_position'] as number;
    const count = addEntries(index, first, row['entries'] as Uint8Array);
    if (first !== expected || !Number.isInteger(count)) {
      throw new SekaliError(
        'store_damaged',
        `the log of keys breaks off at position ${expected}: restore a backup`,
      );
    }
    expected += count;
  }
  const counted = new CounterReader(db).lastPosition();
  const stored = Number(db.prepare('SELECT coalesce(max(position), 0) AS last FROM events').get()?.['last']);
  if (counted !== expected - 1 || stored !== expected - 1) {
    throw new SekaliError(
      'store_damaged',
      `the keys end at position ${expected - 1}, the events at ${stored}, the counters say ${counted}: restore a backup`,
    );
  }
}

function readMeta(db: DatabaseSync, name: string): Uint8Array {
  const value = db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.['value'];
  if (!(value instanceof Uint8Array)) throw new SekaliError('store_damaged', `the store has no ${name}`);
  return value;
}

function readSeed(db: DatabaseSync): { high: number; low: number } {
  const seed = readMeta(db, 'content_seed');
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  return { high: view.getInt32(0, true), low: view.getInt32(4, true) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
