import { SekaliError } from '../../errors.ts';
import {
  AS_TEXT,
  CHECK_CLIENT,
  fromDatabase,
  loadDriver,
  makeClient,
  type SqlClient,
  type SqlResult,
} from './connection.ts';

/** Reads that may be under way or wait for a connection; beyond it a reader is told to come back. */
const READS_MAX = 1000;

/** Time for a connection, made or waited for, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

/** Time for one statement: a filter that no index helps may look at very many events. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** After which a connection is given up that says nothing; the server says something at the latest after the other. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2000;

/**
 * Pages are read in the order of an index: a plan that sorts has read everything before it gives the first row, and without
 * statistics, as after a restored dump, the planner may choose one.
 */
const SETTINGS = `
  SET default_transaction_isolation = 'read committed';
  SET default_transaction_read_only = on;
  ${CHECK_CLIENT};
  SET statement_timeout = ${STATEMENT_TIMEOUT_MS};
  SET enable_seqscan = off;
  SET enable_bitmapscan = off;
  SET enable_sort = off;
  SET jit = off`;

/** One statement after the other, on one connection. Every value comes as the text of the server, or null. */
export type Read = (text: string, values?: readonly unknown[]) => Promise<(string | null)[][]>;

interface Client {
  query(query: unknown): Promise<SqlResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  release(isBroken: boolean): void;
}

interface Pool {
  connect(): Promise<Client>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface ReadPoolOptions {
  readonly databaseUrl: string;
  /** Connections that there may be at once. */
  readonly connectionsMax: number;
  /** Told of each connection that is made, before anything is read through it. */
  readonly onConnect?: (() => void) | undefined;
}

/**
 * Connections that only read. They are made as they are needed, so a server that is away is found by the reads of that time,
 * which fail, and not by the ones after it.
 */
export class ReadPool {
  readonly #options: ReadPoolOptions;
  #pool: Promise<Pool> | undefined;
  #reads = 0;
  #isClosed = false;

  constructor(options: ReadPoolOptions) {
    this.#options = options;
  }

  /** @throws SekaliError `overloaded`, `store_unavailable` */
  async run<T>(work: (read: Read) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new SekaliError('store_unavailable', 'the reader is closed');
    if (this.#reads >= READS_MAX) {
      throw new SekaliError('overloaded', `${READS_MAX} reads are waiting already`);
    }
    this.#reads++;
    try {
      return await this.#runOn(work);
    } catch (error) {
      if (error instanceof SekaliError) throw error;
      const detail = `the store could not be read: ${fromDatabase(error).message}`;
      throw new SekaliError('store_unavailable', detail, { cause: error });
    } finally {
      this.#reads--;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end();
  }

  async #runOn<T>(work: (read: Read) => Promise<T>): Promise<T> {
    this.#pool ??= openPool(this.#options);
    const client = await (await this.#pool).connect();
    let isBroken = true;
    try {
      const result = await work(readVia(client));
      isBroken = false;
      return result;
    } finally {
      client.release(isBroken);
    }
  }
}

/** Reads through a connection. */
export function readVia(client: Pick<SqlClient, 'query'>): Read {
  return async (text, values = []) => {
    const { rows } = await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
    return rows as (string | null)[][];
  };
}

async function openPool({ databaseUrl, connectionsMax, onConnect }: ReadPoolOptions): Promise<Pool> {
  const driver = await loadDriver();
  // For what it throws: the pool would make clients later, and what the driver says of a URL quotes it, with its password.
  makeClient(driver, databaseUrl);
  const pool = new driver.Pool({
    connectionString: databaseUrl,
    application_name: 'sekali reader',
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    onConnect: async (client: Client) => {
      onConnect?.();
      await prepare(client);
    },
  }) as Pool;
  // Of connections that break while nobody uses them: the pool makes others.
  pool.on('error', () => {});
  return pool;
}

async function prepare(client: Client): Promise<void> {
  // Between two statements nobody else listens, and it would end the process.
  client.on('error', () => {});
  await client.query(SETTINGS);
  const { rows } = await client.query('SELECT pg_is_in_recovery() AS is_standby');
  if (rows[0]?.is_standby !== false) {
    // The locks that say how far readers may look are known to the primary alone.
    throw new SekaliError(
      'store_unavailable',
      'the database is a standby, which cannot tell what is settled',
    );
  }
}
