/** Servers that go away, at the start and later: what goes on, what is refused, and that all comes back by itself. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { HealthAnswer, PublishAnswer, QueueAnswer, StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, send } from '../support/http.ts';
import { makeEvent } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { assertProblem } from './suite/case.ts';

const services = useServices('postgres', 'redis');

interface Cluster {
  readonly postgres: TcpProxy;
  readonly redis: TcpProxy;
  readonly start: () => Promise<ServerProcess>;
}

/** A server whose database and queue server are behind networks that can be cut. */
async function cluster(t: TestContext, settings: Record<string, string> = {}): Promise<Cluster> {
  const databaseUrl = await services.postgres();
  const { url: redisUrl, key } = await services.redis();
  const postgres = await TcpProxy.to(Number(new URL(databaseUrl).port));
  const redis = await TcpProxy.to(Number(new URL(redisUrl).port));
  t.after(async () => {
    await Promise.all([postgres.cut(), redis.cut()]);
  });
  const env = {
    SEKALI_DATABASE_URL: postgres.url(databaseUrl),
    SEKALI_REDIS_URL: redis.url(redisUrl),
    SEKALI_QUEUE_KEY: key,
    ...settings,
  };
  return { postgres, redis, start: () => startServerProcess(t, { dataDir: tempDir(t), env }) };
}

async function publish({ url }: ServerProcess, ack: string, event_id: string, text = ''): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(makeEvent({ event_id, payload: { text } }));
  return await send(url, `/publish?ack=${ack}`, { method: 'POST', headers, body });
}

async function untilReady({ url }: ServerProcess): Promise<void> {
  await until('it is ready', async () => (await send(url, '/readyz')).status === 200);
}

async function untilSettled({ url }: ServerProcess): Promise<StatsAnswer> {
  return await until('nothing is queued', async () => {
    const answer = await send(url, '/stats');
    return answer.status === 200 && answer.json<StatsAnswer>().queued === 0 && answer.json<StatsAnswer>();
  });
}

test(
  'while the database is away events are queued, and stored once it is back',
  services.options,
  async (t) => {
    const { postgres, start } = await cluster(t);
    const server = await start();
    assert.equal((await publish(server, 'stored', 'a')).json<PublishAnswer>().processed, 1);
    await postgres.cut();
    assertProblem(await publish(server, 'stored', 'b'), 503, 'store_unavailable');
    const queued = (await publish(server, 'queued', 'c')).json<PublishAnswer>();
    assert.deepEqual([queued.queued, queued.processed], [1, null]);
    const health = (await send(server.url, '/health')).json<HealthAnswer>();
    assert.deepEqual([health.database, health.queue], [false, true]);
    assert.equal((await send(server.url, '/readyz')).status, 503);
    assert.equal((await send(server.url, '/readyz?exclude=queue')).status, 503);
    const ready = await send(server.url, '/readyz?verbose&exclude=queue,database');
    assert.equal(ready.status, 200);
    assert.match(ready.text, /^\[\+\] server: ok\n\[-\] database: .*\n\[\+\] queue: ok\n[^]*\nok\n$/);
    const metrics = (await send(server.url, '/metrics')).text;
    assert.match(metrics, /^sekali_store_up 0$/m);
    assert.match(metrics, /^sekali_queue_up 1$/m);
    assert.doesNotMatch(metrics, /^sekali_events_received_total/m);
    await postgres.heal();
    await untilReady(server);
    assert.equal((await publish(server, 'stored', 'b')).status, 200);
    assert.equal((await untilSettled(server)).unique_processed, 3);
    assert.equal(await server.stop(), 0);
  },
);

test(
  'while the queue server is away events are stored all the same with ack=stored',
  services.options,
  async (t) => {
    const { redis, start } = await cluster(t);
    const server = await start();
    await redis.cut();
    assertProblem(await publish(server, 'queued', 'a'), 503, 'queue_unavailable');
    assert.equal((await publish(server, 'stored', 'b')).json<PublishAnswer>().processed, 1);
    const health = (await send(server.url, '/health')).json<HealthAnswer>();
    assert.deepEqual([health.database, health.queue], [true, false]);
    assertProblem(await send(server.url, '/stats'), 503, 'queue_unavailable');
    assert.equal((await send(server.url, '/readyz?exclude=database')).status, 503);
    assert.equal((await send(server.url, '/readyz?exclude=queue')).status, 200);
    await redis.heal();
    await untilReady(server);
    assert.equal((await publish(server, 'queued', 'a')).status, 200);
    assert.equal((await untilSettled(server)).unique_processed, 2);
    assert.equal(await server.stop(), 0);
  },
);

test(
  'servers that are away at the start are waited for: it lives, is not ready, and begins once they are there',
  services.options,
  async (t) => {
    const { postgres, redis, start } = await cluster(t);
    await Promise.all([postgres.cut(), redis.cut()]);
    const server = await start();
    assert.equal((await send(server.url, '/livez')).status, 200);
    const ready = await send(server.url, '/readyz?verbose');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /^\[-\] database: .*\n\[-\] queue: /m);
    assertProblem(await publish(server, 'stored', 'a'), 503, 'store_unavailable');
    assertProblem(await publish(server, 'queued', 'a'), 503, 'queue_unavailable');
    assertProblem(await send(server.url, '/events'), 503, 'store_unavailable');
    await postgres.heal();
    await until('the store is there', async () => (await publish(server, 'stored', 'a')).status === 200);
    await redis.heal();
    await untilReady(server);
    assert.equal((await publish(server, 'queued', 'b')).status, 200);
    assert.equal((await untilSettled(server)).unique_processed, 2);
    assert.equal(await server.stop(), 0);
  },
);

test('a server that waits for its database stops when it is told to', services.options, async (t) => {
  const { postgres, start } = await cluster(t);
  await postgres.cut();
  const server = await start();
  assert.equal(await server.stop(), 0);
});

test(
  'a queue server that is full refuses, and what waits for the store goes on',
  services.options,
  async (t) => {
    const { start } = await cluster(t, {
      SEKALI_DISABLE_WORKERS: '1',
      SEKALI_BACKLOG_BYTES_MAX: '1MiB',
      SEKALI_BODY_BYTES_MAX: '512KiB',
      SEKALI_EVENT_BYTES_MAX: '512KiB',
    });
    const server = await start();
    const refused = await until('it is full', async () => {
      const answer = await publish(server, 'queued', randomUUID(), 'x'.repeat(300_000));
      return answer.status !== 200 && answer;
    });
    assertProblem(refused, 503, 'overloaded');
    assert.equal((await publish(server, 'stored', 'a')).status, 200);
    assert.equal((await send(server.url, '/readyz')).status, 200);
    const { worker_count, workers_enabled, queue_size, queue_bytes } = (
      await send(server.url, '/queue/stats')
    ).json<QueueAnswer>();
    assert.deepEqual([worker_count, workers_enabled], [0, false]);
    assert.ok(queue_size > 0 && queue_bytes > 0);
    const { queued, received, unique_processed } = (await send(server.url, '/stats')).json<StatsAnswer>();
    assert.ok(queued > 0);
    assert.deepEqual([received, unique_processed], [queued + 1, 1]);
  },
);
