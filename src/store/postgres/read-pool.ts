import { SekaliError } from '../../errors.ts';
import { CHECK_CLIENT } from './connection.ts';
import { type PoolClient, type Sql, SqlPool, sqlVia } from './sql-pool.ts';

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

/** Statements that read, on a connection that does nothing else. */
export type Read = Sql;

/** Reads through a connection. */
export const readVia = sqlVia;

export interface ReadPoolOptions {
  readonly databaseUrl: string;
  /** Connections that there may be at once. */
  readonly connectionsMax: number;
  /** Told of each connection that is made, before anything is read through it. */
  readonly onConnect?: (() => void) | undefined;
}

/** Makes a pool of connections that only read. */
export function makeReadPool({ databaseUrl, connectionsMax, onConnect }: ReadPoolOptions): SqlPool {
  return new SqlPool({
    databaseUrl,
    connectionsMax,
    applicationName: 'sekali reader',
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    calls: 'reads',
    failure: 'the store could not be read',
    async prepare(client) {
      onConnect?.();
      await prepare(client);
    },
  });
}

async function prepare(client: PoolClient): Promise<void> {
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
