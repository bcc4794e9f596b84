import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** Makes an empty database on the server of `url`; resolves with its URL. */
export async function createDatabase(url: string): Promise<string> {
  const name = `sekali_test_${randomUUID().replaceAll('-', '')}`;
  const [{ fsync } = {}] = await execute(url, 'SHOW fsync');
  // Copying files has two checkpoints, which are quick where nothing is synced: 0.3 instead of 1.1 s on a busy machine.
  const strategy = fsync === 'off' ? 'file_copy' : 'wal_log';
  // Not template1: that cannot be copied while anybody, an autovacuum included, is connected to it.
  await execute(
    url,
    `CREATE DATABASE ${name} TEMPLATE template0 STRATEGY ${strategy} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  return withDatabase(url, name);
}

/** Removes a database that `createDatabase` made, whoever is still connected to it. `url` is as it was given there. */
export async function dropDatabase(url: string, fresh: string): Promise<void> {
  await execute(url, `DROP DATABASE IF EXISTS ${new URL(fresh).pathname.slice(1)} WITH (FORCE)`);
}

/** Whether a server answers at `url`. */
export async function answersPostgres(url: string): Promise<boolean> {
  try {
    await execute(url, 'SELECT 1');
    return true;
  } catch {
    return false;
  }
}

async function execute(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  // A connection that breaks fails its query too.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
