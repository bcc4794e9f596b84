import { SekaliError } from '../../errors.ts';
import {
  AS_TEXT,
  fromDatabase,
  loadDriver,
  makeClient,
  type SqlClient,
  type SqlResult,
} from './connection.ts';

/** Time for a connection, made or waited for, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

/** Calls that may be under way or wait for a connection; beyond it a caller is told to come back. */
const CALLS_MAX = 1000;

/** One statement after the other, on one connection. Every value comes as the text of the server, or null. */
export type Sql = (text: string, values?: readonly unknown[]) => Promise<(string | null)[][]>;

export interface PoolClient {
  query(query: unknown): Promise<SqlResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  release(isBroken: boolean): void;
}

interface Pool {
  connect(): Promise<PoolClient>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface SqlPoolOptions {
  readonly databaseUrl: string;
  /** What the server knows them by. */
  readonly applicationName: string;
  /** Connections that there may be at once. */
  readonly connectionsMax: number;
  /** After which a connection is given up that says nothing, in milliseconds: longer than the server lets a statement go on. */
  readonly queryTimeoutMs: number;
  /** What calls of it are, in the words of whoever is told that there are too many. */
  readonly calls: string;
  /** What could not be done when a call fails. */
  readonly failure: string;
  /** Makes a connection that was opened ready for all calls. */
  prepare(client: PoolClient): Promise<void>;
}

/**
 * Connections that are made as they are needed, so a server that is away is found by the calls of that time, which fail, and not
 * by the ones after it.
 */
export class SqlPool {
  readonly #options: SqlPoolOptions;
  #pool: Promise<Pool> | undefined;
  #calls = 0;
  #isClosed = false;

  constructor(options: SqlPoolOptions) {
    this.#options = options;
  }

  /**
   * Lends a connection. After a failure it is given up, with all that was begun on it.
   *
   * @throws SekaliError `overloaded`, `store_unavailable`, and those of the work as they are
   */
  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const { calls, failure } = this.#options;
    if (this.#isClosed) throw new SekaliError('store_unavailable', `${failure}: it is closed`);
    if (this.#calls >= CALLS_MAX) {
      throw new SekaliError('overloaded', `${CALLS_MAX} ${calls} are waiting already`);
    }
    this.#calls++;
    try {
      return await this.#runOn(work);
    } catch (error) {
      if (error instanceof SekaliError) throw error;
      const detail = `${failure}: ${fromDatabase(error).message}`;
      throw new SekaliError('store_unavailable', detail, { cause: error });
    } finally {
      this.#calls--;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end();
  }

  async #runOn<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    this.#pool ??= openPool(this.#options);
    const client = await (await this.#pool).connect();
    let isBroken = true;
    try {
      const result = await work(sqlVia(client));
      isBroken = false;
      return result;
    } finally {
      client.release(isBroken);
    }
  }
}

/** Statements through a connection. */
export function sqlVia(client: Pick<SqlClient, 'query'>): Sql {
  return async (text, values = []) => {
    const { rows } = await client.query({ text, values, rowMode: 'array', types: AS_TEXT });
    return rows as (string | null)[][];
  };
}

async function openPool(options: SqlPoolOptions): Promise<Pool> {
  const { databaseUrl, applicationName, connectionsMax, queryTimeoutMs } = options;
  const driver = await loadDriver();
  // For what it throws: the pool would make clients later, and what the driver says of a URL quotes it, with its password.
  makeClient(driver, databaseUrl);
  const pool = new driver.Pool({
    connectionString: databaseUrl,
    application_name: applicationName,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    onConnect: async (client: PoolClient) => {
      // Between two statements nobody else listens, and it would end the process.
      client.on('error', () => {});
      await options.prepare(client);
    },
  }) as Pool;
  // Of connections that break while nobody uses them: the pool makes others.
  pool.on('error', () => {});
  return pool;
}
