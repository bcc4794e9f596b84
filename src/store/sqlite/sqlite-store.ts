import type { DatabaseSync } from 'node:sqlite';
import { type Clock, systemClock } from '../../clock.ts';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import type { DedupWindow, Retention, TopicRules } from '../../topic-rules.ts';
import type { Step } from '../dedup/generation.ts';
import { GenerationIndex } from '../dedup/generation-index.ts';
import { KeyHasher } from '../dedup/key.ts';
import type { CommitGroup, KeyStats, Receipts, Store, StoreSecrets } from '../store.ts';
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
  TopicSummary,
} from '../store-reader.ts';
import { Appender } from './append.ts';
import { Checkpointer } from './checkpointer.ts';
import { keysDir, openWriter } from './connection.ts';
import type { CountQuery } from './count-matching.ts';
import { DedupWindows } from './dedup-windows.ts';
import { KeyDeriver } from './derive-keys.ts';
import { Janitor } from './janitor.ts';
import { loadKeys } from './load-keys.ts';
import { refuseLost } from './lost-database.ts';
import { Manifest } from './manifest.ts';
import { type Meta, readMeta } from './meta.ts';
import { migrate } from './migrate.ts';
import { type Bite, RetentionSweep } from './retention.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { findWalFault } from './wal-fault.ts';

export interface SqliteStoreOptions {
  readonly dataDir: string;
  readonly clock?: Clock | undefined;
  readonly dedupWindow?: TopicRules<DedupWindow> | undefined;
  readonly retention?: TopicRules<Retention> | undefined;
  /** Keys that a generation of the index is sealed at, and generations that are merged: see dedup/generation-index.ts. */
  readonly hotKeys?: number | undefined;
  readonly mergeFanIn?: number | undefined;
  /** Whether the write-ahead log is folded on a thread of its own: see checkpointer.ts. */
  readonly checkpointThread?: boolean | undefined;
  /** Told what takes long: an index that is being built anew. */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** Pages that a group writes besides its events, roughly: counters, topics, keys, the nodes above them. */
const GROUP_OVERHEAD_BYTES = 6 * 16_384;

/**
 * The store in one SQLite file, and the generations of its key index beside it. It works on the thread that calls it, and
 * blocks that for as long as the disk takes: the server gives it a thread of its own (store-thread.ts).
 */
export class SqliteStore implements Store {
  readonly secrets: StoreSecrets;
  readonly #db: DatabaseSync;
  readonly #reader: SqliteReader;
  readonly #windows: DedupWindows;
  readonly #index: GenerationIndex;
  readonly #manifest: Manifest;
  readonly #hasher: KeyHasher;
  readonly #appender: Appender;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #clock: Clock;
  readonly #retention: RetentionSweep;
  readonly #janitor: Janitor;
  #closed = false;
  #failure: unknown;

  private constructor(db: DatabaseSync, meta: Meta, options: SqliteStoreOptions) {
    const { dataDir, clock = systemClock, dedupWindow = [], retention = [], onProgress } = options;
    this.#clock = clock;
    this.#db = db;
    this.secrets = meta;
    this.#hasher = new KeyHasher(meta.keySecret);
    this.#manifest = new Manifest(db);
    this.#windows = new DedupWindows(db, dedupWindow, clock.nowMs() * 1000);
    const deriver = new KeyDeriver(db);
    this.#index = GenerationIndex.open({
      dir: keysDir(dataDir),
      owner: meta.dataId,
      generations: this.#manifest.generations(),
      readLog: (first, last) => deriver.entries(first, last),
      onReady: () => this.#adoptLater(),
      ...(options.hotKeys !== undefined && { hotKeys: options.hotKeys }),
      ...(options.mergeFanIn !== undefined && { mergeFanIn: options.mergeFanIn }),
      ...(onProgress !== undefined && { onProgress }),
    });
    try {
      this.#adopt();
      const sealedThrough = this.#manifest.sealedThrough();
      loadKeys(db, sealedThrough, (first, last) => deriver.entries(first, last), this.#index);
      this.#reader = SqliteReader.open(dataDir);
    } catch (error) {
      void this.#index.close(); // it has a thread, and files
      throw error;
    }
    this.#appender = new Appender({ db, index: this.#index, windows: this.#windows, clock });
    this.#checkpointer = options.checkpointThread
      ? new Checkpointer(db, dataDir, (reason) =>
          onProgress?.(`the writer folds its log itself now: ${reason}`),
        )
      : undefined;
    this.#retention = new RetentionSweep(db, retention, () => this.#appender.noteTopics());
    this.#janitor = new Janitor({
      bite: () => this.#bite(),
      onFailure: (reason) => onProgress?.(`events could not be retired, it is tried again: ${reason}`),
    });
    if (retention.length > 0 || this.#windows.isUsed) this.#janitor.start();
  }

  /**
   * Opens the store, makes or migrates it if it has to, and its key index from the generations and the log of keys.
   *
   * @throws SekaliError `schema_newer`, `store_damaged`
   */
  static open(options: SqliteStoreOptions): SqliteStore {
    refuseDamage(options.dataDir);
    const db = openWriter(options.dataDir);
    try {
      migrate(db);
      settle(db);
      return new SqliteStore(db, readMeta(db), options);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async append(group: CommitGroup): Promise<Receipts> {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#index.room();
      const step = this.#index.readyStep();
      const receipts = this.#appender.append(group, () => {
        if (step !== undefined) this.#manifest.write(step);
      });
      if (step !== undefined) this.#index.adopt(step);
      this.#index.committed();
      this.#checkpointer?.committed(group.events.bytesUsed + GROUP_OVERHEAD_BYTES);
      return receipts;
    } catch (error) {
      throw new SekaliError('store_unavailable', `the commit failed: ${messageOf(error)}`, { cause: error });
    }
  }

  async find(topic: string, eventId: string): Promise<number | undefined> {
    const found = this.#index.find(this.#hasher.hash(topic, eventId));
    return found === undefined || this.#windows.isForgotten(found) ? undefined : found.position;
  }

  keyStats(): KeyStats {
    const { size, bytes, sealedKeys, sealedBytes } = this.#index.stats();
    return { keys: size, bytes, sealedKeys, sealedBytes };
  }

  events(query: EventQuery): Promise<EventPage> {
    return this.#reader.events(query);
  }

  printed(query: PrintedQuery): Promise<PrintedPage> {
    return this.#reader.printed(query);
  }

  eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#reader.eventAt(position);
  }

  eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return this.#reader.eventsAt(positions);
  }

  countEvents(query: CountQuery): Promise<number> {
    return this.#reader.countEvents(query);
  }

  sequences(query: SequenceQuery): Promise<SequencePage> {
    return this.#reader.sequences(query);
  }

  positionBefore(timeMs: number): Promise<number> {
    return this.#reader.positionBefore(timeMs);
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

  /** Resolves when nothing is being sealed or merged. For tests. */
  async settled(): Promise<void> {
    await this.#index.settled();
    this.#adopt();
  }

  /** Retires all that is overdue now, as is done little by little otherwise. For tests. */
  sweep(): void {
    while (this.#bite() !== 'done');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#janitor.stop();
    await this.#index.close();
    await this.#checkpointer?.close();
    await this.#reader.close();
    this.#db.close();
  }

  #bite(): Bite {
    const outcome = this.#retire();
    if (outcome === 'retired') this.#appender.forgetRetired();
    const isEnd = outcome === 'round' || outcome === 'done';
    if (isEnd) this.#index.dropForgotten([...this.#windows.droppable()]);
    return outcome;
  }

  /** After a failure what is remembered of topics may not be what the database has: the store is to be opened again. */
  #retire(): Bite {
    try {
      return this.#retention.bite(this.#clock.nowMs() * 1000);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** A step that nobody's group takes along is written by itself, a turn later. */
  #adoptLater(): void {
    setImmediate(() => {
      if (this.#closed) return;
      try {
        this.#adopt();
      } catch (error) {
        this.#failure ??= error; // told to whoever waits for the next group, after which the store is opened again
      }
    });
  }

  #adopt(): void {
    const step = this.#index.readyStep();
    if (step !== undefined) this.#adoptStep(step);
  }

  #adoptStep(step: Step): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#manifest.write(step);
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
    this.#index.adopt(step);
  }
}

/** What has to be looked at before SQLite does, for it takes an empty file for a new database, and a broken log for a short one. */
function refuseDamage(dataDir: string): void {
  refuseLost(dataDir);
  const fault = findWalFault(dataDir);
  if (fault === undefined) return;
  throw new SekaliError(
    'store_damaged',
    `sekali.db-wal is damaged at byte ${fault.offset}: ${fault.what}: restore a backup`,
    { file: 'sekali.db-wal', offset: fault.offset },
  );
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
