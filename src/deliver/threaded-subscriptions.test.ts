import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendOne } from '../../test/contract/store/case.ts';
import { DEFINITION, leaseOf } from '../../test/contract/subscriptions/case.ts';
import { makeEvent } from '../../test/support/make-events.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';
import { SqliteSubscriptions } from '../store/sqlite/sqlite-subscriptions.ts';
import { ThreadedSubscriptions } from './threaded-subscriptions.ts';

async function makeData(dataDir: string, count: number): Promise<void> {
  const store = SqliteStore.open({ dataDir });
  const events = Array.from({ length: count }, (_, i) =>
    makeEvent({ topic: 'orders.eu', event_id: `e${i}` }),
  );
  await appendOne(store, ...events);
  await store.close();
}

function open(dataDir: string, warnings: string[] = []): Promise<ThreadedSubscriptions> {
  return ThreadedSubscriptions.open({
    dataDir,
    onWarning: (message) => warnings.push(message),
    onDeath: (error) => assert.fail(String(error)),
  });
}

test('all calls cross to the thread and back, failures with their code', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, 10);
  const deliveries = await open(dataDir);
  assert.equal((await deliveries.put('a', DEFINITION, { kind: 'earliest' }))?.created, true);
  assert.deepEqual((await deliveries.lag((await deliveries.get('a'))!)).events, 10);

  const { events, lease, leaseMs } = await deliveries.fetch('a', { eventsMax: 4 });
  assert.equal(leaseMs, DEFINITION.ackWaitMs);
  assert.deepEqual(
    events.map(({ event, attempt }) => [event.position, event.event_id, attempt]),
    [1, 2, 3, 4].map((position) => [position, `e${position - 1}`, 1]),
  );
  const ref = (position: number) => ({ position, lease });
  assert.deepEqual(await deliveries.ack('a', [ref(1), { position: 2, lease: leaseOf(9) }]), [
    'done',
    'lease_stale',
  ]);
  assert.deepEqual(await deliveries.extend('a', [ref(2)]), ['done']);
  const giveBack = { delayMs: 3_600_000, reason: 'not now' };
  assert.deepEqual(await deliveries.nack('a', [ref(3)], giveBack), ['done']);
  const { createdAtMs: _, version: __, ...found } = (await deliveries.get('a'))!;
  const counts = { cursor: 4, leased: 2, waiting: 1, dead: 0, oldestOutstanding: 2 };
  assert.deepEqual(found, { ...DEFINITION, name: 'a', ...counts });
  assert.equal((await deliveries.list({ after: undefined, limit: 10 })).length, 1);
  assert.deepEqual(await deliveries.deadLetters('a', { after: 0, limit: 10 }), []);
  assert.equal(await deliveries.redrive('a', { topic: undefined }), 0);
  assert.equal(await deliveries.discard('a', { positions: [1] }), 0);
  assert.deepEqual(await deliveries.seek('a', { kind: 'position', after: 7 }, { dryRun: false }), {
    cursor: 7,
    events: 3,
  });
  const beyond = deliveries.seek('a', { kind: 'position', after: 11 }, { dryRun: true });
  await assert.rejects(beyond, { code: 'subscription_invalid', members: { member: 'to.after' } });
  await deliveries.remove('a');
  await assert.rejects(deliveries.fetch('a', { eventsMax: 1 }), { code: 'subscription_unknown' });

  const last = deliveries.put('b', DEFINITION, { kind: 'latest' });
  await deliveries.close();
  assert.equal((await last)?.created, true, 'what was asked for before is finished');
  await assert.rejects(deliveries.get('b'), { code: 'shutting_down' });
});

test('a cursor beyond the events goes back to the last one when it is opened, and that is told', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, 3);
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await subscriptions.put('ahead', DEFINITION, 100);
  await subscriptions.close();
  const warnings: string[] = [];
  const deliveries = await open(dataDir, warnings);
  assert.match(warnings.join('\n'), /^subscription "ahead" was at position 100, .* goes on after 3$/);
  assert.equal((await deliveries.get('ahead'))?.cursor, 3);
  await deliveries.close();
});

test('subscriptions that cannot be opened are a failure with its code', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, 1);
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await subscriptions.close();
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(`${dataDir}/subscriptions.db`);
  db.exec('PRAGMA user_version = 99');
  db.close();
  await assert.rejects(open(dataDir), { code: 'schema_newer' });
});
