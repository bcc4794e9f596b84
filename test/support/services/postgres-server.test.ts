import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { isRunning } from './is-running.ts';
import { PostgresServer } from './postgres-server.ts';
import { useServices } from './services.ts';

const services = useServices('postgres-server');

describe('a PostgreSQL of the test', services.options, () => {
  for (const mode of ['immediate', 'fast'] as const) {
    test(`that is killed (${mode}) comes back on its port with what was committed`, async () => {
      await using server = await PostgresServer.start();
      const url = await server.createDatabase();
      await query(url, 'CREATE TABLE kept AS SELECT 1 AS value');
      await server.kill(mode);
      await assert.rejects(query(url, 'SELECT 1'), { code: 'ECONNREFUSED' });
      await server.start();
      assert.deepEqual(await query(url, 'SELECT value FROM kept'), [{ value: 1 }]);
    });
  }

  test('makes commits durable, and compares text byte by byte in UTF-8, as its template does', async () => {
    await using server = await PostgresServer.start({ settings: { max_connections: 17 } });
    const url = await server.createDatabase();
    const settings = `SELECT name, setting FROM pg_settings
      WHERE name IN ('fsync', 'synchronous_commit', 'max_connections', 'server_encoding') ORDER BY name`;
    assert.deepEqual(await query(url, settings), [
      { name: 'fsync', setting: 'on' },
      { name: 'max_connections', setting: '17' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
    assert.deepEqual(await query(url, `SELECT 'Z' < 'a' AS bytewise`), [{ bytewise: true }]);
  });

  test('makes databases that know nothing of each other, several at a time', async () => {
    await using server = await PostgresServer.start();
    const urls = await Promise.all([1, 2, 3].map(() => server.createDatabase()));
    assert.equal(new Set(urls).size, 3);
    for (const url of urls) await query(url, 'CREATE TABLE mine ()');
  });

  test('leaves no process and no file behind', async () => {
    const server = await PostgresServer.start();
    const { pid, dir } = server;
    assert.deepEqual([isRunning(pid), existsSync(dir)], [true, true]);
    await server[Symbol.asyncDispose]();
    assert.deepEqual([isRunning(pid), existsSync(dir)], [false, false]);
  });

  test('says what it said when it does not start', async () => {
    const settings = { shared_buffers: 'a lot' };
    await assert.rejects(PostgresServer.start({ settings }), /invalid value for parameter "shared_buffers"/);
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
