/** Fault 16: members of a consumer group die at any moment, and what they write for each event is there exactly once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Sekali } from '../../src/client/index.ts';
import type { FetchAnswer, SettledAnswer } from '../../src/protocol/subscriptions-wire.ts';
import { Cluster } from '../support/cluster/cluster.ts';
import type { Books } from '../support/consumer-group/books.ts';
import { checkBooks, readEvents, untilSettled } from '../support/consumer-group/check-books.ts';
import { Group } from '../support/consumer-group/group.ts';
import { makePostgresBooks } from '../support/consumer-group/postgres-books.ts';
import { makeSqliteBooks } from '../support/consumer-group/sqlite-books.ts';
import { ACK_WAIT_MS, tryGroup } from '../support/consumer-group/trial.ts';
import { makeEvents } from '../support/make-events.ts';
import { startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres', 'postgres-server', 'redis-server');

/** Of members, in each test of four. */
const KILLS = 50;
const SERVER_KILLS = 3;
/** Events that the group does between two kills of its server. */
const GROUP_STEP = 50;

for (const kind of ['PostgreSQL', 'SQLite']) {
  test(`the sums in ${kind} are exact, though members are killed ${KILLS} times`, {
    ...services.options,
    timeout: 120_000,
  }, async (t) => {
    const { url } = await startServerProcess(t, { dataDir: tempDir(t) });
    const books = await makeBooks(t, kind, () => services.postgres());
    await tryGroup(t, { urls: [url], scope: 'ledger', books, kills: KILLS });
  });
}

test(`they are so though the server is killed ${SERVER_KILLS} times besides`, {
  ...services.options,
  timeout: 120_000,
}, async (t) => {
  const dataDir = tempDir(t);
  let server = await startServerProcess(t, { dataDir });
  const { url } = server;
  const disturb = async (group: Group) => {
    for (let kill = 0; kill < SERVER_KILLS; kill++) {
      const before = group.done.size;
      await until('the group goes on', async () => group.done.size > before + GROUP_STEP);
      await server.stop('SIGKILL');
      server = await startServerProcess(t, { dataDir, port: Number(new URL(url).port) });
    }
  };
  const books = await makePostgresBooks(t, await services.postgres());
  await tryGroup(t, { urls: [url], scope: 'ledger', books, kills: SERVER_KILLS, disturb });
});

test('an event that kills whoever works on it is a dead letter, and what is behind it goes on, in order', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t) });
  const client = new Sekali({ url });
  await client.publish([
    ...makeEvents(3, 'first-', { topic: 'ledger.food', payload: { amount: 5 } }),
    ...makeEvents(1, 'poison-', { topic: 'ledger.food', payload: { amount: -1 } }),
    ...makeEvents(3, 'last-', { topic: 'ledger.food', payload: { amount: 7 } }),
  ]);
  const books = makeSqliteBooks(t, `${tempDir(t)}/books.db`);
  // One at a time: what a member has at work beside the poison would share its fate.
  const options = { ackWaitMs: ACK_WAIT_MS, maxAttempts: 2, ordered: true, concurrency: 1, prefetch: 0 };
  const job = { url, subscription: 'ledger', topics: ['ledger.>'], options, books: books.place };
  const group = new Group(t, [job], 0);
  const isBehind = async () => group.done.size === 6;
  await Promise.race([group.failed, until('what is behind it was done', isBehind)]);
  await untilSettled(client, 'ledger');
  const events = await readEvents(client, 'ledger');
  const { dead_letters } = await client.subscriptions.deadLetters('ledger');
  assert.deepEqual(
    dead_letters.map(({ event, attempts }) => [event?.event_id, attempts]),
    [['poison-0', 2]],
  );
  checkBooks(
    await books.read(),
    events.filter(({ event_id }) => event_id !== 'poison-0'),
  );
});

test(`two instances hand out to one group: exact after ${KILLS} kills, and a lease is one at both`, {
  ...services.options,
  timeout: 180_000,
}, async (t) => {
  const { instances, postgres } = await Cluster.start(t, { instances: 2 });
  const urls = instances.map((instance) => instance.url);
  for (const kind of ['PostgreSQL', 'SQLite']) {
    await t.test(`the sums in ${kind}`, async (t) => {
      const books = await makeBooks(t, kind, () => postgres.createDatabase());
      await tryGroup(t, { urls, scope: kind.toLowerCase(), books, kills: KILLS });
    });
  }
  await t.test('of two who hold one lease, one can end it, at whichever instance', async () => {
    const clients = urls.map((url) => new Sekali({ url }));
    const { lease, positions } = await take(clients, 'shared', 30, 60_000);
    const ends = ['ack', 'nack', 'ack', 'ack'].map((action, i) =>
      end(clients[i % 2]!, 'shared', action, { lease, positions }),
    );
    const answers = await Promise.all(ends);
    assert.equal(
      answers.reduce((sum, { counted }) => sum + counted, 0),
      positions.length,
    );
    const refused = answers.flatMap((answer) => answer.refused);
    assert.equal(refused.length, 3 * positions.length);
    assert.ok(refused.every(({ code }) => code === 'lease_stale'));
    assert.equal((await clients[0]!.subscriptions.get('shared')).leased, 0);
  });
  await t.test('who acknowledges after its lease is refused, whoever has the event by then', async () => {
    const clients = urls.map((url) => new Sekali({ url }));
    const [one, other] = clients as [Sekali, Sekali];
    const { lease, positions } = await take(clients, 'late', 2, ACK_WAIT_MS);
    await define(one, 'late', 60_000);
    const again = await fetchUpTo(other, 'late', 2);
    assert.deepEqual(
      again.events.map(({ attempt }) => attempt),
      [2, 2],
    );
    const late = await end(one, 'late', 'ack', { lease, positions });
    assert.deepEqual(
      late.refused.map(({ code }) => code),
      ['lease_stale', 'lease_stale'],
    );
    assert.equal((await end(one, 'late', 'ack', { lease: again.lease!, positions })).counted, 2);
  });
});

async function makeBooks(t: TestContext, kind: string, database: () => Promise<string>): Promise<Books> {
  if (kind === 'PostgreSQL') return await makePostgresBooks(t, await database());
  return makeSqliteBooks(t, `${tempDir(t)}/books.db`);
}

/** Makes a subscription and takes all that it has. */
async function take(
  [one, other]: readonly Sekali[],
  name: string,
  count: number,
  ackWaitMs: number,
): Promise<{ lease: string; positions: number[] }> {
  await other!.publish(makeEvents(count, 'e-', { topic: `${name}.x` }), { ack: 'stored' });
  await define(one!, name, ackWaitMs);
  const { lease, events } = await fetchUpTo(one!, name, count);
  assert.equal(events.length, count);
  return { lease: lease!, positions: events.map(({ position }) => position) };
}

async function define(client: Sekali, name: string, ackWaitMs: number): Promise<void> {
  const backoff = { first_ms: 0, max_ms: 0 };
  await client.subscriptions.put(name, { topics: [`${name}.>`], ack_wait_ms: ackWaitMs, backoff });
}

async function fetchUpTo(client: Sekali, name: string, max: number): Promise<FetchAnswer> {
  return await post(client, `/subscriptions/${name}/fetch`, { max, wait_ms: 20_000 });
}

async function end(client: Sekali, name: string, action: string, leases: object): Promise<SettledAnswer> {
  return await post(client, `/subscriptions/${name}/${action}`, leases);
}

async function post<T>(client: Sekali, path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await client.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as T;
}
