import { SekaliError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import type { DedupWindow, Retention, TopicRules } from '../../topic-rules.ts';
import { KeyHasher } from '../dedup/key.ts';
import type {
  CommitGroup,
  Consumed,
  ConsumedEntries,
  ConsumingStore,
  DeadLetter,
  KeyStats,
  Receipts,
  StoreSecrets,
} from '../store.ts';
import { anotherStore, storeMarkOf } from '../store-mark.ts';
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
import { type Appended, append } from './append.ts';
import { fromDatabase, type SqlClient, sqlStateOf } from './connection.ts';
import { REPEATED, readConsumed, setAside } from './consume.ts';
import { readFirstSeen } from './first-seen.ts';
import { Housekeeping } from './housekeeping.ts';
import { Janitor } from './janitor.ts';
import { readMeta } from './meta.ts';
import { checkSchema, migrate } from './migrate.ts';
import { Notifier } from './notifier.ts';
import { ensurePartitions } from './partitions.ts';
import { PostgresReader } from './postgres-reader.ts';
import { orRefused, refusalOf } from './refusal.ts';
import { TopicIds } from './topic-ids.ts';
import { Writer } from './writer.ts';

export interface PostgresStoreOptions {
  readonly databaseUrl: string;
  readonly dedupWindow?: TopicRules<DedupWindow> | undefined;
  /** Whether the schema is made or brought up to date; if not, it must be so already. */
  readonly migrate?: boolean | undefined;
  /** Positions in a partition of the events: see partitions.ts. */
  readonly partitionPositions?: number | undefined;
  /** Whether events are retired, partitions made ahead and what is over is deleted, here as long as no other instance is at it. */
  readonly keepHouse?: boolean | undefined;
  readonly retention?: TopicRules<Retention> | undefined;
  /** Told why keeping house fails. */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/**
 * SQLSTATEs after which nothing has happened, and the same may well go through when it is tried again at once. Not 55P03: who
 * holds that lock has been waited for, and publishers wait too.
 */
const TRANSIENT = new Set(['40001', '40P01']);
const TRIES_MAX = 5;

/** No partition holds the positions that the group was given. */
const NO_PARTITION = '23514';

/**
 * The store in PostgreSQL, of which any number may work on one database. Each has one connection that writes; it is opened
 * again by the next call once it has broken, so there is nothing to be settled after a failure: what a call did whose answer
 * was lost is whole in the database, or it is not there.
 */
export class PostgresStore implements ConsumingStore {
  readonly secrets: StoreSecrets;
  readonly #options: PostgresStoreOptions;
  readonly #reader: PostgresReader;
  readonly #hasher: KeyHasher;
  readonly #janitor: Janitor | undefined;
  #connection: Promise<Connection> | undefined;
  #keys: number;

  private constructor(
    options: PostgresStoreOptions,
    connection: Connection,
    secrets: StoreSecrets,
    keys: number,
  ) {
    this.#options = options;
    this.#connection = Promise.resolve(connection);
    this.#keys = keys;
    this.secrets = secrets;
    this.#hasher = new KeyHasher(secrets.keySecret);
    this.#reader = PostgresReader.open({ databaseUrl: options.databaseUrl });
    this.#janitor = options.keepHouse ? makeJanitor(options) : undefined;
    this.#janitor?.start();
  }

  /**
   * Connects, and makes or migrates the schema if it may.
   *
   * @throws SekaliError `store_unavailable`, `config_invalid`, `schema_newer`, `schema_older`, `store_damaged`
   */
  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const writer = await Writer.open(options.databaseUrl);
    try {
      return await writer.run(async (client) => {
        if (options.migrate ?? true) await migrate(client, options);
        await checkSchema(client);
        const secrets = await readMeta(client);
        const { rows } = await client.query(
          'SELECT coalesce(sum(unique_processed), 0)::text AS keys FROM sekali.counters',
        );
        return new PostgresStore(options, connectionOf(writer), secrets, Number(rows[0].keys));
      });
    } catch (error) {
      await writer.close();
      throw fromDatabase(error);
    }
  }

  async append(group: CommitGroup): Promise<Receipts> {
    return await this.#run(async (client, connection) => {
      const appended = await this.#append(client, connection, group);
      return { ...appended, firstSeenAt: await readFirstSeen(client, group, appended) };
    });
  }

  async consume(group: CommitGroup, entries: ConsumedEntries): Promise<Consumed> {
    return await this.#run(async (client, connection): Promise<Consumed> => {
      try {
        await this.#append(client, connection, group, entries);
        return { kind: 'consumed' };
      } catch (error) {
        if (sqlStateOf(error) !== REPEATED) throw refusalOf(error) ?? error;
        return { kind: 'repeated', ids: await readConsumed(client, entries) };
      }
    });
  }

  async deadLetter(letter: DeadLetter): Promise<Consumed> {
    const isNew = await this.#run((client) => orRefused(setAside(client, letter)));
    return isNew ? { kind: 'consumed' } : { kind: 'repeated', ids: [letter.id] };
  }

  async find(topic: string, eventId: string): Promise<number | undefined> {
    const { a, b, c, d } = this.#hasher.hash(topic, eventId);
    const key = Buffer.alloc(16);
    [a, b, c, d].forEach((word, n) => key.writeInt32BE(word, 4 * n));
    return await this.#run(async (client) => {
      const { rows } = await client.query({
        name: 'find_1',
        text: `SELECT position::text FROM sekali.keys
               WHERE key = $1::uuid AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
        values: [key],
      });
      return rows.length === 0 ? undefined : Number(rows[0].position);
    });
  }

  /** As of the start, and what this instance has stored since. The keys are the database's, not in our memory. */
  keyStats(): KeyStats {
    return { keys: this.#keys, bytes: 0, sealedKeys: 0, sealedBytes: 0 };
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

  countEvents(query: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): Promise<number> {
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

  async close(): Promise<void> {
    await this.#janitor?.stop();
    await this.#disconnect();
    await this.#reader.close();
  }

  async #append(
    client: SqlClient,
    connection: Connection,
    group: CommitGroup,
    entries?: ConsumedEntries,
  ): Promise<Appended> {
    failpoint('append.begun');
    const topicIds = await connection.topicIds.of(client, group.events.topics);
    for (let tries = 1; ; tries++) {
      try {
        failpoint('commit.before');
        const appended = await append(client, group, topicIds, this.#options.dedupWindow ?? [], entries);
        failpoint('commit.after');
        for (const verdict of appended.verdicts) if (verdict === 0) this.#keys++;
        connection.notifier.stored();
        return appended;
      } catch (error) {
        const state = sqlStateOf(error) ?? '';
        if (tries === TRIES_MAX || !(TRANSIENT.has(state) || isWithoutPartition(error))) throw error;
        if (!TRANSIENT.has(state)) {
          const { partitionPositions } = this.#options;
          await ensurePartitions(client, { partitionPositions, room: group.events.length });
        }
      }
    }
  }

  /**
   * Runs a call on the connection, which is given up after a failure: what is left of it is then nobody's. Not after a refusal:
   * every statement of a call is a transaction by itself, so the one that was refused is over, and undone.
   */
  async #run<T>(call: (client: SqlClient, connection: Connection) => Promise<T>): Promise<T> {
    this.#connection ??= this.#reconnect();
    const connecting = this.#connection;
    try {
      const connection = await connecting;
      return await connection.writer.run((client) => call(client, connection));
    } catch (error) {
      const isSettled = error instanceof SekaliError && error.code === 'entry_refused';
      if (!isSettled && this.#connection === connecting) await this.#disconnect();
      throw error instanceof SekaliError ? error : unavailable(error);
    }
  }

  /** An import may have filled the database meanwhile, with other secrets: what was hashed with ours means nothing there. */
  async #reconnect(): Promise<Connection> {
    const writer = await Writer.open(this.#options.databaseUrl);
    try {
      const secrets = await writer.run(readMeta);
      if (storeMarkOf(secrets) !== storeMarkOf(this.secrets)) throw anotherStore();
      return connectionOf(writer);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async #disconnect(): Promise<void> {
    const connecting = this.#connection;
    this.#connection = undefined;
    const connection = await connecting?.catch(() => undefined);
    connection?.notifier.stop();
    await connection?.writer.close();
  }
}

function makeJanitor({ onProgress, ...options }: PostgresStoreOptions): Janitor {
  const onFailure = (reason: string) =>
    onProgress?.(`keeping house in PostgreSQL failed, it is tried again: ${reason}`);
  return new Janitor(new Housekeeping({ ...options, onFailure }));
}

interface Connection {
  readonly writer: Writer;
  readonly notifier: Notifier;
  /** Asked anew on each connection: what takes over from a server that is lost may lack its newest topics. */
  readonly topicIds: TopicIds;
}

function connectionOf(writer: Writer): Connection {
  return { writer, notifier: new Notifier(writer), topicIds: new TopicIds() };
}

function isWithoutPartition(error: unknown): boolean {
  return sqlStateOf(error) === NO_PARTITION && (error as Error).message.includes('no partition');
}

/** Whatever stops a call that has been going on is for the publisher to try again. */
function unavailable(error: unknown): SekaliError {
  return new SekaliError('store_unavailable', fromDatabase(error).message, { cause: error });
}
