import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createClient } from '@redis/client';
import { Client } from 'pg';
import { type Finished, finished } from '../process.ts';
import { tempDir } from '../temp-dir.ts';
import { PostgresServer } from './postgres-server.ts';
import { RedisServer } from './redis-server.ts';
import { SKIPPED_FILE, useServices } from './services.ts';
import { POSTGRES_URL, REDIS_URL } from './shared-servers.ts';

const services = useServices('postgres', 'redis');
const programs = useServices('postgres-server', 'redis-server');

describe('servers that tests share', services.options, () => {
  test('give each an empty database', async () => {
    const urls = await Promise.all([services.postgres(), services.postgres()]);
    assert.notEqual(urls[0], urls[1]);
    assert.deepEqual(
      await column(urls[0], `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`),
      [],
    );
  });

  test('give each a key of Redis', async () => {
    const [one, two] = await Promise.all([services.redis(), services.redis()]);
    assert.equal(one.url, two.url);
    assert.notEqual(one.key, two.key);
  });
});

describe('servers that are given', programs.options, () => {
  const BUSY = `
const url = await services.postgres();
const { url: redisUrl, key } = await services.redis();
const redis = await createClient({ url: redisUrl }).connect();
await redis.set(key + ':mine', 1);
redis.destroy();
console.log('used', new URL(url).host, new URL(redisUrl).host);`;

  test('are used, and left as they were', async (t) => {
    await using postgres = await PostgresServer.start();
    await using redis = await RedisServer.start();
    const given = { [POSTGRES_URL]: postgres.url('postgres'), [REDIS_URL]: redis.url };
    const { code, stdout, stderr } = await runTest(tempDir(t), BUSY, given);
    assert.equal(code, 0, stdout + stderr);
    assert.ok(stdout.includes(`used 127.0.0.1:${postgres.port} 127.0.0.1:${redis.port}`), stdout);
    const names = await column(postgres.url('postgres'), 'SELECT datname FROM pg_database ORDER BY 1');
    assert.deepEqual(names, ['postgres', 'template0', 'template1']);
    const client = await createClient({ url: redis.url }).connect();
    assert.equal(await client.dbSize(), 0);
    client.destroy();
  });
});

describe('where a server is missing', () => {
  const NEEDY = 'await services.redis();';

  test('tests that need it are skipped, and whoever runs them is told what to install', async (t) => {
    const dir = tempDir(t);
    const skipped = join(dir, 'skipped');
    const { code, stdout } = await runTest(dir, NEEDY, { PATH: dir, [SKIPPED_FILE]: skipped });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /a test.*# needs programs: .*redis-server/);
    assert.equal(readFileSync(skipped, 'utf8'), 'a.test.mjs\n');
  });

  for (const name of ['CI', 'SEKALI_TEST_REQUIRE_SERVICES']) {
    test(`they fail where ${name} is set`, async (t) => {
      const dir = tempDir(t);
      const { code, stdout } = await runTest(dir, NEEDY, { PATH: dir, [name]: '1' });
      assert.equal(code, 1, stdout);
      assert.match(stdout, /Redis is not installed: apt install redis-server/);
    });
  }
});

/** Runs a file of one test, with this body and nothing in its environment but `env`. */
async function runTest(dir: string, body: string, env: NodeJS.ProcessEnv): Promise<Finished> {
  const text = `
import { test } from 'node:test';
import { createClient } from ${JSON.stringify(import.meta.resolve('@redis/client'))};
import { useServices } from ${JSON.stringify(import.meta.resolve('./services.ts'))};
const services = useServices('postgres', 'redis');
test('a test', services.options, async () => {${body}});`;
  writeFileSync(join(dir, 'a.test.mjs'), text);
  const args = ['--test-reporter=spec', 'a.test.mjs'];
  return await finished(spawn(process.execPath, args, { cwd: dir, env, stdio: 'pipe' }));
}

/** The first column of the rows. */
async function column(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows.map(([value]) => value);
  } finally {
    await client.end();
  }
}
