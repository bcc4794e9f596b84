/** The client's consumers and a real server: what is thrown, killed or slow loses nothing. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ConsumerOptions,
  exactlyOnce,
  type Handler,
  postgres,
  type Refusal,
  Sekali,
} from '../../src/client/index.ts';
import type { SubscriptionAnswer } from '../../src/protocol/subscriptions-wire.ts';
import type { WireStoredEvent } from '../../src/protocol/wire.ts';
import { makeEvents } from '../support/make-events.ts';
import { startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres');
const backoff = { firstMs: 20, maxMs: 200 };

/** Consumes until the test ends, or it is stopped. */
function consume(
  t: TestContext,
  url: string,
  options: ConsumerOptions,
  handler: Handler<WireStoredEvent>,
  onRequest: (url: string) => void = () => {},
): { stop(): Promise<void> } {
  const stop = new AbortController();
  const told: typeof fetch = async (input, init) => {
    onRequest(input as string);
    return await fetch(input, init);
  };
  const running = new Sekali({ url, backoff, fetch: told })
    .consumer('mailer', { topics: ['orders.>'], ...options })
    .run((event, context) => handler(event, context), { signal: stop.signal });
  const stopped = async () => {
    stop.abort();
    await running;
  };
  t.after(stopped);
  return { stop: stopped };
}

async function statusOf(url: string): Promise<SubscriptionAnswer> {
  const response = await new Sekali({ url }).request('/subscriptions/mailer');
  return (await response.json()) as SubscriptionAnswer;
}

async function settled(url: string): Promise<void> {
  await until('all is settled', async () => {
    const { lag, leased, waiting } = await statusOf(url);
    return lag.events === 0 && leased === 0 && waiting === 0;
  });
}

test('every event is worked on; who throws gets it again, and in the end it is a dead letter', async (t) => {
  const { url, ...server } = await startServerProcess(t, { dataDir: tempDir(t) }).then((one) => ({
    url: one.url,
    client: one.client(),
  }));
  await server.client.publish(makeEvents(300, 'e-', { topic: 'orders.eu' }));
  const attempts = new Map<string, number[]>();
  const options = { concurrency: 8, maxAttempts: 3, backoff: { firstMs: 1, maxMs: 1 } };
  consume(t, url, options, ({ event_id }, { attempt }) => {
    attempts.set(event_id, [...(attempts.get(event_id) ?? []), attempt]);
    if (event_id === 'e-7' && attempt < 2) throw new Error('not yet');
    if (event_id === 'e-9') throw new Error('never');
  });
  await until('the dead letter', async () => attempts.get('e-9')?.length === 3);
  await settled(url);
  assert.equal(attempts.size, 300);
  assert.deepEqual(attempts.get('e-7'), [1, 2]);
  assert.equal([...attempts.values()].flat().length, 303);
  const answer = await new Sekali({ url }).request('/subscriptions/mailer/dead-letters');
  const { dead_letters } = (await answer.json()) as { dead_letters: { reason: string; attempts: number }[] };
  assert.deepEqual(
    dead_letters.map(({ attempts }) => attempts),
    [3],
  );
  assert.match(dead_letters[0]?.reason ?? '', /never/);
});

test('whatever a handler throws, its event is given back', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const thrown = ['', '\0', `${'x'.repeat(999)}😀`, undefined, Object.create(null), new Error(''), 7];
  await server.client().publish(makeEvents(thrown.length, 'e-', { topic: 'orders.eu' }));
  const refusals: Refusal[] = [];
  const onRefused = (refusal: Refusal) => void refusals.push(refusal);
  let acked = 0;
  const options = { backoff: { firstMs: 0, maxMs: 0 }, onRefused };
  consume(t, server.url, options, async ({ position }, { attempt }) => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    if (attempt === 1) await Promise.reject(thrown[position - 1]);
    acked++;
  });
  await until('all came again', async () => acked === thrown.length);
  await settled(server.url);
  assert.deepEqual(refusals, []);
});

test('a slow handler keeps its event by extending, and a stopped consumer leaves the rest to another', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  await server.client().publish(makeEvents(20, 'e-', { topic: 'orders.eu' }));
  const refusals: Refusal[] = [];
  const options = {
    ackWaitMs: 1000,
    prefetch: 5,
    onRefused: (refusal: Refusal) => void refusals.push(refusal),
  };
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow: string[] = [];
  let extensions = 0;
  const handler: Handler<WireStoredEvent> = async ({ event_id }, { signal }) => {
    slow.push(event_id);
    begun.resolve();
    await release.promise;
    assert.equal(signal.aborted, false);
  };
  const onRequest = (url: string) => {
    if (url.endsWith('/extend')) extensions++;
  };
  const first = consume(t, server.url, options, handler, onRequest);
  await begun.promise;
  const others: string[] = [];
  consume(t, server.url, options, ({ event_id }) => void others.push(event_id));
  await until('the other has done what is free', async () => others.length >= 14);
  // Each is half of a lease later.
  await until('it outlives two leases', async () => extensions > 4);
  assert.equal((await statusOf(server.url)).leased, 6);
  const stopped = first.stop();
  await until('the other has what was given back', async () => others.length === 19);
  release.resolve();
  await stopped;
  await settled(server.url);
  assert.deepEqual(refusals, []);
  assert.equal(new Set([...slow, ...others]).size, 20);
});

test('a consumer lives through kill -9 of its server: every event comes, none is lost', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir });
  const port = Number(new URL(server.url).port);
  const seen = new Set<string>();
  const options = { concurrency: 4, ackWaitMs: 1000, onRefused: () => {} };
  consume(t, server.url, options, ({ event_id }) => void seen.add(event_id));
  for (let round = 0; round < 3; round++) {
    await server.client().publish(makeEvents(500, `round-${round}-`, { topic: 'orders.eu' }));
    await until('some were worked on', async () => seen.size > round * 500);
    await server.stop('SIGKILL');
    server = await startServerProcess(t, { dataDir, port });
  }
  await until('all were', async () => seen.size === 1500);
  await settled(server.url);
});

test(
  'work and mark in one transaction of PostgreSQL: once, though acks are lost and consumers compete',
  services.options,
  async (t) => {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ connectionString: await services.postgres(), max: 8 });
    t.after(() => pool.end());
    const store = postgres(pool);
    await Promise.all([store.prepare?.(), pool.query('CREATE TABLE emails (event_id text)')]);
    const server = await startServerProcess(t, { dataDir: tempDir(t) });
    await server.client().publish(makeEvents(200, 'e-', { topic: 'orders.eu' }));
    let failures = 0;
    const handler = exactlyOnce(store, async (event: WireStoredEvent, tx, { attempt }) => {
      await tx.query('INSERT INTO emails VALUES ($1)', [event.event_id]);
      if (attempt === 1 && event.position % 5 === 0) {
        failures++;
        throw new Error('half way');
      }
    });
    // Every third event comes a second time: as if its acknowledgement had been lost.
    const twice: Handler<WireStoredEvent> = async (event, context) => {
      await handler(event, context);
      if (context.attempt <= 2 && event.position % 3 === 0) throw new Error('the ack was lost');
    };
    const options = { concurrency: 4, maxAttempts: 0, backoff: { firstMs: 1, maxMs: 1 } };
    for (let i = 0; i < 2; i++) consume(t, server.url, options, twice);
    await until('all are worked on', async () => {
      const { rows } = await pool.query<{ count: string }>('SELECT count(DISTINCT event_id) FROM emails');
      return rows[0]?.count === '200';
    });
    await settled(server.url);
    const { rows } = await pool.query<{ emails: string; marks: string }>(
      'SELECT (SELECT count(*) FROM emails) AS emails, (SELECT count(*) FROM sekali_marks) AS marks',
    );
    assert.deepEqual(rows[0], { emails: '200', marks: '200' });
    assert.equal(failures, 40);
    assert.equal(await store.forget?.(0, 150), 150);
    assert.equal(await store.forget?.(0, 150), 50);
  },
);

test(
  'work that swallows a failed statement of PostgreSQL is not taken for done',
  services.options,
  async (t) => {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ connectionString: await services.postgres(), max: 2 });
    t.after(() => pool.end());
    const store = postgres(pool);
    await store.prepare?.();
    const work = exactlyOnce(store, async (_event: WireStoredEvent, tx) => {
      await tx.query('SELECT 1/0').catch(() => {});
    });
    const [event] = makeEvents(1);
    const stored = { ...event!, position: 1, processed_at: event!.timestamp };
    const context = { subscription: 'mailer' } as Parameters<typeof work>[1];
    await assert.rejects(async () => await work(stored, context), /was rolled back/);
    assert.equal((await pool.query('SELECT FROM sekali_marks')).rowCount, 0);
  },
);
