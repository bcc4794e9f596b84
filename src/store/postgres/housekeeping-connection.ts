import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type SqlClient } from './connection.ts';

/**
 * Others are waited for no longer than this. And the plans are those that stay cheap whatever the statistics say: an index, read
 * in its order. (With sorts of all that a topic has, for its oldest hundred, the median bite took 1050 ms, and 85 without, at a million events.)
 */
const SETTINGS = `
  SET lock_timeout = '2s';
  SET enable_seqscan = off;
  SET enable_bitmapscan = off;
  SET enable_sort = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET jit = off`;

/**
 * Opens the connection that keeps house.
 *
 * @param closing gives it up, also while the server says nothing
 */
export async function openConnection(databaseUrl: string, closing: AbortSignal): Promise<SqlClient> {
  const opening = connectPrepared(databaseUrl);
  const opened = new AbortController();
  const isClosing = once(closing, 'abort', { signal: opened.signal }).then((): never => {
    throw closing.reason;
  });
  try {
    return await Promise.race([opening, isClosing]);
  } catch (error) {
    void opening.then(leaveConnection, () => {});
    throw error;
  } finally {
    opened.abort();
  }
}

async function connectPrepared(databaseUrl: string): Promise<SqlClient> {
  const client = await connect(databaseUrl);
  try {
    await client.query(SETTINGS);
    return client;
  } catch (error) {
    await leaveConnection(client);
    throw error;
  }
}

/** A server that is away does not say goodbye: it is waited for no longer than this, in milliseconds. */
const GOODBYE_MS = 1000;

export async function leaveConnection(client: SqlClient): Promise<void> {
  await Promise.race([client.end().catch(() => {}), pause(GOODBYE_MS, undefined, { ref: false })]);
}
