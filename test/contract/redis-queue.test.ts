import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { createClient } from '@redis/client';
import { SekaliError } from '../../src/errors.ts';
import { RedisQueueHarness } from '../support/redis-queue-harness.ts';
import { RedisServer } from '../support/services/redis-server.ts';
import { useServices } from '../support/services/services.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { claim, drain, groupOf, idsIn, largeGroup, NEVER_MS } from './queue/case.ts';
import { testQueue } from './queue-contract.ts';

const { options } = useServices('redis-server');

testQueue('Redis', options, () => RedisQueueHarness.start());

test(
  'a worker whose connection breaks has its entries again at once, and what it could not acknowledge',
  options,
  async () => {
    await using harness = await RedisQueueHarness.start();
    await using network = await TcpProxy.to(harness.server.port);
    const queue = await harness.openQueue();
    const consumer = await harness.openConsumer({ url: network.url(harness.server.url), claimMs: NEVER_MS });
    for (const id of ['a', 'b', 'c']) await queue.enqueue(groupOf(id));
    const held = await claim(consumer, 2);
    await network.cut();
    await assert.rejects(consumer.ack(held));
    await network.heal();
    const again = await until('a claim', () => claim(consumer, 1).catch(() => undefined));
    assert.deepEqual(again.flatMap(idsIn), ['a']);
    assert.equal(again[0]!.attempts, 2);
    await consumer.ack(again);
    assert.deepEqual(await drain(consumer), ['b', 'c']);
    assert.equal((await queue.state()).bytes, 0);
  },
);

test(
  'what comes to a claim that was ended is let go, and is with another worker at once',
  options,
  async () => {
    await using harness = await RedisQueueHarness.start();
    await using network = await TcpProxy.to(harness.server.port);
    const [queue, other] = [await harness.openQueue(), await harness.openConsumer({ claimMs: NEVER_MS })];
    const consumer = await harness.openConsumer({ url: network.url(harness.server.url), claimMs: NEVER_MS });
    await using client = await openClient(harness.server.url);
    const stop = new AbortController();
    const waiting = consumer.claim({ entriesMax: 1, waitMs: 60_000, signal: stop.signal });
    await until('the wait', async () => /cmd=xreadgroup/.test(String(await client.send('CLIENT', 'LIST'))));
    network.freeze();
    await queue.enqueue(groupOf('a'));
    stop.abort();
    await network.heal();
    assert.deepEqual(await waiting, []);
    const [entry] = await claim(other, 1, 60_000);
    assert.deepEqual(idsIn(entry!), ['a']);
    assert.equal(entry!.attempts, 1);
  },
);

// Seconds of waiting, which they do beside each other.
describe('a server that does not answer in time', { ...options, concurrency: 2 }, () => {
  test('a server that falls silent is given up, and then found again', async () => {
    await using harness = await RedisQueueHarness.start();
    await using network = await TcpProxy.to(harness.server.port);
    const queue = await harness.openQueue({ url: network.url(harness.server.url) });
    network.freeze();
    await assert.rejects(queue.enqueue(groupOf('a')), {
      code: 'queue_unavailable',
      message: /no reply to EVALSHA within/,
    });
    // It is away now, and no call waits for it any more.
    await assert.rejects(queue.enqueue(groupOf('b')), { code: 'queue_unavailable' });
    await network.heal();
    await until('the state', () => queue.state().catch(() => undefined));
  });

  test('what is enqueued is with as many replicas as are asked for, or it is not acknowledged', async () => {
    await using harness = await RedisQueueHarness.start();
    await using client = await openClient(harness.server.url);
    // By default it waits 5 s for further replicas.
    await client.send('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    const replicaOf = ['--replicaof', '127.0.0.1', String(harness.server.port)];
    await using replica = await RedisServer.start({ args: replicaOf });
    await until('the replica', async () => {
      await client.send('SET', 'sekali-test:any', '');
      return (await client.send('WAIT', '1', '100')) === 1;
    });
    const queue = await harness.openQueue({ replicasMin: 1 });
    await Promise.all(['a', 'b', 'c'].map((id) => queue.enqueue(groupOf(id))));
    await using atReplica = await openClient(replica.url);
    assert.equal(await atReplica.send('XLEN', '{sekali-test}:entries'), 3);
    await replica.kill();
    await assert.rejects(queue.enqueue(groupOf('d')), {
      code: 'queue_unavailable',
      message: /0 of 1 replicas/,
    });
    const { promise } = await until('the state', () => queue.state().catch(() => undefined));
    assert.match(promise, /of at least 1 of its replicas/);
  });
});

test('a server that refuses a write is met anew, with what it promises by then', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue();
  await using client = await openClient(harness.server.url);
  await client.send('CONFIG', 'SET', 'appendfsync', 'everysec');
  await client.send('CONFIG', 'SET', 'min-replicas-to-write', '1');
  await assert.rejects(queue.enqueue(groupOf('a')), { code: 'queue_unavailable', message: /NOREPLICAS/ });
  const { promise } = await until('the state', () => queue.state().catch(() => undefined));
  assert.match(promise, /appendfsync everysec/);
  await client.send('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await queue.enqueue(groupOf('a'));
  assert.deepEqual(await drain(await harness.openConsumer()), ['a']);
  assert.deepEqual(
    harness.events.map(({ kind }) => kind),
    ['away', 'back'],
  );
});

test('a memory that has gone back begins a new epoch, and the operator hears of it', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue();
  await queue.enqueue(groupOf('a', 'b', 'c'));
  const before = await queue.state();
  await using client = await openClient(harness.server.url);
  await client.send('HSET', '{sekali-test}:totals', 'enqueued', '2');
  const after = await queue.state();
  assert.notEqual(after.epoch, before.epoch);
  assert.equal(after.enqueued, 0);
  const [event] = harness.events;
  assert.equal(event?.kind, 'memory_lost');
  assert.match(event.detail, /at least 3 events/);
});

test('a restart without its data is told with what was known to be there', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue();
  await queue.enqueue(groupOf('a', 'b'));
  await harness.loseMemory();
  await until('the state', () => queue.state().catch(() => undefined));
  assert.deepEqual(
    harness.events.map(({ kind }) => kind),
    ['away', 'memory_lost', 'back'],
  );
  assert.match(harness.events[1]!.detail, /at least 2 events/);
});

test(
  'a server whose memory is full refuses as overloaded, and has not counted; workers can empty it',
  options,
  async () => {
    await using harness = await RedisQueueHarness.start();
    const queue = await harness.openQueue();
    await using client = await openClient(harness.server.url);
    await queue.enqueue(groupOf('early'));
    await client.send('CONFIG', 'SET', 'maxmemory', '1');
    await assert.rejects(queue.enqueue(groupOf('a')), { code: 'overloaded', message: /maxmemory/ });
    assert.deepEqual(await drain(await harness.openConsumer()), ['early']);
    const { enqueued, entries, bytes } = await queue.state();
    assert.deepEqual({ enqueued, entries, bytes }, { enqueued: 1, entries: 0, bytes: 0 });
  },
);

test('a stream that was trimmed by hand does not stay full', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue({ bytesMax: 5000 });
  await queue.enqueue(largeGroup('a', 4000));
  await using client = await openClient(harness.server.url);
  await client.send('XTRIM', '{sekali-test}:entries', 'MAXLEN', '0');
  await queue.enqueue(largeGroup('b', 4000));
});

test(
  'a queue is of the store that used it first, also on a server that is full, or was flushed',
  options,
  async () => {
    await using harness = await RedisQueueHarness.start();
    const queue = await harness.openQueue({ storeMark: 'one' });
    const isAnothers = {
      code: 'config_invalid',
      message: /"sekali-test" belongs to another store\. Set another/,
    };
    await using client = await openClient(harness.server.url);
    async function assertRefused(): Promise<void> {
      await assert.rejects(harness.openQueue({ storeMark: 'two' }), isAnothers);
      await assert.rejects(harness.openConsumer({ storeMark: 'two' }), isAnothers);
    }
    await assertRefused();
    await client.send('FLUSHALL');
    await queue.enqueue(groupOf('a'));
    await assertRefused();
    await client.send('CONFIG', 'SET', 'maxmemory', '1');
    await assertRefused();
    assert.deepEqual(await drain(await harness.openConsumer({ storeMark: 'one' })), ['a']);
    await harness.openQueue({ storeMark: 'one' });
    // Whoever only reads is of no store.
    assert.equal((await (await harness.openQueue()).state()).entries, 0);
    await client.send('CONFIG', 'SET', 'maxmemory', '0');
    await harness.openQueue({ storeMark: 'two', queueKey: 'sekali-other' });
  },
);

test('an entry of another program is handed out, so that it can be set aside', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const consumer = await harness.openConsumer();
  await using client = await openClient(harness.server.url);
  const id = '0123456789abcdef';
  for (const fields of [
    ['hello', 'world'],
    ['id', id, 'body', 'put back by hand'],
  ]) {
    await client.send('XADD', '{sekali-test}:entries', '*', ...fields);
    const [entry] = await claim(consumer);
    assert.deepEqual([entry!.id.length, entry!.events], [16, 0]);
    assert.notEqual(Buffer.from(entry!.id).toString(), id);
    assert.throws(() => idsIn(entry!), { code: 'entry_refused' });
    await consumer.ack([entry!]);
  }
});

test('an entry that was removed by hand while a worker had it is passed over', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue();
  for (const id of ['a', 'b', 'c']) await queue.enqueue(groupOf(id));
  const held = await claim(await harness.openConsumer(), 3);
  await using client = await openClient(harness.server.url);
  await client.send('XDEL', '{sekali-test}:entries', held[1]!.place);
  const other = await harness.openConsumer({ claimMs: 1 });
  const entries = await claim(other, 3, 60_000);
  assert.deepEqual(entries.flatMap(idsIn), ['a', 'c']);
});

test('a consumer that closes is forgotten, unless it has entries', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const queue = await harness.openQueue();
  await queue.enqueue(groupOf('a'));
  const [one, other] = [await harness.openConsumer(), await harness.openConsumer()];
  await claim(one);
  await claim(other);
  await one.close();
  await other.close();
  await using client = await openClient(harness.server.url);
  const consumers = (await client.send('XINFO', 'CONSUMERS', '{sekali-test}:entries', 'sekali')) as unknown[];
  assert.equal(consumers.length, 1);
});

test('a password is told nowhere', options, async () => {
  await using harness = await RedisQueueHarness.start();
  const { url: open, port } = harness.server;
  await using client = await openClient(open);
  await client.send('CONFIG', 'SET', 'requirepass', 'right');
  const urls = [
    'redis://me:s3cret@127.0.0.1:1/0',
    `redis://:s3cret@127.0.0.1:${port}/0`,
    'redis://:s3cret@127.0.0.1:99999',
  ];
  for (const url of [...urls, 'http://:s3cret@127.0.0.1', 's3cret']) {
    const error = await harness.openQueue({ url }).then(
      () => assert.fail('it opens'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof SekaliError, String(error));
    assert.doesNotMatch(inspect(error, { depth: 10 }), /s3cret/);
  }
  await harness.openQueue({ url: `redis://:right@127.0.0.1:${port}/3` });
});

/** A connection for what only an operator does. */
async function openClient(
  url: string,
): Promise<AsyncDisposable & { send(...args: string[]): Promise<unknown> }> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return {
    send: (...args) => client.sendCommand(args),
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}
