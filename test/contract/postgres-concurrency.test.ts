/** What holds when several instances work on one database at the same instant. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { WireEvent } from '../../src/client/index.ts';
import { migrateDatabase, SCHEMA_VERSION } from '../../src/store/postgres/migrate.ts';
import type { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresHarness } from '../support/postgres-harness.ts';
import { useServices } from '../support/services/services.ts';
import { appendOne, EVERYTHING, type Receipt, toGroup, verdictsOf } from './store/case.ts';

const services = useServices('postgres');
const { options } = services;

async function openStores(count: number): Promise<{ harness: PostgresHarness; stores: PostgresStore[] }> {
  const harness = new PostgresHarness(await services.postgres());
  const stores = await Promise.all(Array.from({ length: count }, () => harness.openStore()));
  return { harness, stores };
}

test(
  'instances that start together on an empty database make one schema, with one secret',
  options,
  async () => {
    const { harness, stores } = await openStores(6);
    await using _ = harness;
    assert.equal(
      new Set(stores.map(({ secrets }) => Buffer.from(secrets.keySecret).toString('hex'))).size,
      1,
    );
    assert.equal((await migrateDatabase(harness.databaseUrl)).version, SCHEMA_VERSION);
  },
);

test('the same new keys on several instances at one instant: exactly one says stored', options, async () => {
  const { harness, stores } = await openStores(4);
  await using _ = harness;
  for (let round = 0; round < 20; round++) {
    const events = makeEvents(50, `${round}-`);
    // Each in another order: what waits for what must not become a circle.
    const receipts = await Promise.all(
      stores.map(
        async (store, n) => await appendInOrder(store, events, (i) => (i * [1, 3, 7, 9][n]! + n) % 50),
      ),
    );
    for (let i = 0; i < 50; i++) {
      const ofKey = receipts.map((of) => of.get(`${round}-${i}`)!);
      assert.deepEqual(ofKey.map(({ verdict }) => verdict).sort(), [
        'duplicate',
        'duplicate',
        'duplicate',
        'stored',
      ]);
      assert.equal(new Set(ofKey.map(({ position }) => position)).size, 1);
    }
  }
  const [store] = stores as [PostgresStore];
  const { unique_processed, duplicate_dropped, received } = await store.counters();
  assert.deepEqual([received, unique_processed, duplicate_dropped], [4000, 1000, 3000]);
  assert.equal((await store.events(EVERYTHING)).events.length, 1000);
});

test(
  'the same key with other content on several instances: one is stored, the others conflict with it',
  options,
  async () => {
    const { harness, stores } = await openStores(3);
    await using _ = harness;
    for (let round = 0; round < 20; round++) {
      const receipts = await Promise.all(
        stores.map(async (store, n) => {
          const [receipt] = await appendOne(store, makeEvent({ event_id: `${round}`, payload: { n } }));
          return receipt!;
        }),
      );
      assert.deepEqual(receipts.map(({ verdict }) => verdict).sort(), ['conflict', 'conflict', 'stored']);
    }
    assert.equal((await stores[0]!.counters()).conflicts, 40);
    assert.equal((await stores[0]!.conflicts({ limit: 100 })).length, 40);
  },
);

test('topics that several instances bring at one instant have one id each', options, async () => {
  const { harness, stores } = await openStores(4);
  await using _ = harness;
  const topics = Array.from({ length: 50 }, (_, i) => `topic-${i}`);
  await Promise.all(
    stores.map((store, n) =>
      appendOne(
        store,
        ...topics.map((topic, i) =>
          makeEvent({ topic: topics[(i * 7 + n) % 50]!, event_id: `${topic}-${n}` }),
        ),
      ),
    ),
  );
  const found = await stores[0]!.topics({ after: undefined, limit: 100 });
  assert.deepEqual(
    found.map(({ topic, events }) => [topic, events]),
    topics.toSorted().map((topic) => [topic, 4]),
  );
});

test('an entry of the queue is counted once, however often it is consumed and by whom', options, async () => {
  const { harness, stores } = await openStores(3);
  await using _ = harness;
  const epoch = randomUUID();
  for (let round = 0; round < 10; round++) {
    const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
    const outcomes = await Promise.all(
      stores.map((store) =>
        store.consume(toGroup(store, { events: makeEvents(10, `${round % 5}-`), rejected: 1 }), {
          epoch,
          ids: [id],
        }),
      ),
    );
    assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['consumed', 'repeated', 'repeated']);
    const repeated = outcomes.find((outcome) => outcome.kind === 'repeated');
    assert.deepEqual(
      repeated?.ids.map((one) => Buffer.from(one)),
      [id],
    );
  }
  assert.deepEqual(await stores[0]!.counters(), {
    received: 100,
    unique_processed: 50,
    duplicate_dropped: 50,
    conflicts: 0,
    rejected: 10,
    dead_lettered: 0,
    consumed: { [epoch]: 100 },
  });
});

test('a dead letter is counted once, and its entry is consumed with it', options, async () => {
  const { harness, stores } = await openStores(2);
  await using _ = harness;
  const [store, other] = stores as [PostgresStore, PostgresStore];
  const epoch = randomUUID();
  const letter = {
    epoch,
    id: Buffer.alloc(16, 7),
    events: 3,
    reason: 'it cannot be read',
    attempts: 5,
    body: Buffer.from('x'),
  };
  assert.deepEqual((await store.deadLetter(letter)).kind, 'consumed');
  assert.deepEqual((await other.deadLetter(letter)).kind, 'repeated');
  const again = await other.consume(toGroup(other, { events: makeEvents(3) }), { epoch, ids: [letter.id] });
  assert.equal(again.kind, 'repeated');
  const { received, dead_lettered, unique_processed, consumed } = await store.counters();
  assert.deepEqual([received, dead_lettered, unique_processed, consumed[epoch]], [3, 3, 0, 3]);
});

test('a store whose connection was cut says so once, and works again by itself', options, async () => {
  const { harness, stores } = await openStores(2);
  await using _ = harness;
  const [store, other] = stores as [PostgresStore, PostgresStore];
  await appendOne(store, makeEvent());
  await harness.cutConnections();
  await assert.rejects(appendOne(store, makeEvent()), { code: 'store_unavailable' });
  assert.deepEqual(await verdictsOf(store, makeEvent()), ['duplicate']);
  await assert.rejects(appendOne(other, makeEvent()), { code: 'store_unavailable' });
});

async function appendInOrder(
  store: PostgresStore,
  events: readonly WireEvent[],
  order: (i: number) => number,
): Promise<Map<string, Receipt>> {
  const ordered = events.map((_, i) => events[order(i)]!);
  const receipts = await appendOne(store, ...ordered);
  return new Map(ordered.map(({ event_id }, i) => [event_id, receipts[i]!]));
}
