import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createClient } from '@redis/client';
import { isRunning } from './is-running.ts';
import { RedisServer } from './redis-server.ts';
import { useServices } from './services.ts';

const services = useServices('redis-server');

describe('a Redis of the test', services.options, () => {
  test('that is killed comes back on its port with its append-only file', async () => {
    await using server = await RedisServer.start({ appendfsync: 'always' });
    await command(server, 'SET', 'kept', 'yes');
    await server.kill();
    await assert.rejects(command(server, 'PING'), { code: 'ECONNREFUSED' });
    await server.restart();
    assert.equal(await command(server, 'GET', 'kept'), 'yes');
  });

  test('without an append-only file comes back empty', async () => {
    await using server = await RedisServer.start({ appendonly: false });
    await command(server, 'SET', 'kept', 'no');
    await server.restart();
    assert.equal(await command(server, 'GET', 'kept'), null);
  });

  test('takes further flags', async () => {
    await using server = await RedisServer.start({ args: ['--maxmemory', '5mb'] });
    assert.deepEqual(await command(server, 'CONFIG', 'GET', 'maxmemory'), ['maxmemory', '5242880']);
  });

  test('leaves no process and no file behind, also after it was started again', async () => {
    const server = await RedisServer.start();
    const before = server.pid;
    await server.restart();
    const { pid, dir } = server;
    assert.deepEqual([isRunning(before), isRunning(pid), existsSync(dir)], [false, true, true]);
    await server[Symbol.asyncDispose]();
    assert.deepEqual([isRunning(pid), existsSync(dir)], [false, false]);
  });
});

async function command({ url }: RedisServer, ...args: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false }, RESP: 2 });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}
