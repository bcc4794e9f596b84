import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { dedupWindowRules } from '../../src/topic-settings.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { appendOne, EVERYTHING, verdictsOf } from './store/case.ts';
import { durabilityCases } from './store/durability.ts';
import { testStore } from './store-contract.ts';

testStore(
  'in memory',
  async () => ({
    open: async () => new MemoryStore(),
    crash: async () => assert.fail('what is in memory does not outlive a crash'),
    [Symbol.asyncDispose]: async () => {},
  }),
  { gap: { cases: durabilityCases, reason: 'a store in memory is gone with its process' } },
);

test('in memory: a store that is cleared knows nothing of what it had, and gives no position twice', async () => {
  const store = new MemoryStore();
  await appendOne(store, ...makeEvents(3), makeEvent({ event_id: 'event-0' }));
  store.clear();
  assert.deepEqual((await store.events(EVERYTHING)).events, []);
  assert.deepEqual(await store.counters(), await new MemoryStore().counters());
  assert.deepEqual(await store.topics({ after: undefined, limit: 10 }), []);
  assert.deepEqual(await store.conflicts({ limit: 10 }), []);
  assert.equal(await store.find('orders', 'event-0'), undefined);
  assert.equal(await store.eventAt(1), undefined);
  const [receipt] = await appendOne(store, ...makeEvents(1));
  assert.deepEqual([receipt?.verdict, receipt?.position], ['stored', 4]);
  assert.equal((await store.eventAt(4))?.event_id, 'event-0');
  assert.deepEqual(
    (await store.events({ ...EVERYTHING, order: 'desc', after: 2 })).events.map(({ position }) => position),
    [4],
  );
});

test('in memory: a key is known for as long as its dedup window, and then it is new', async () => {
  let nowMs = Date.UTC(2026, 0, 31);
  const rules = dedupWindowRules.read('orders:1h');
  assert.ok('value' in rules);
  const store = new MemoryStore({ dedupWindow: rules.value, clock: { nowMs: () => nowMs } });
  await appendOne(store, makeEvent(), makeEvent({ topic: 'other' }));
  nowMs += 3_600_000;
  assert.deepEqual(await verdictsOf(store, makeEvent()), ['duplicate']);
  nowMs++;
  assert.deepEqual(await verdictsOf(store, makeEvent(), makeEvent({ topic: 'other' })), [
    'stored',
    'duplicate',
  ]);
  assert.equal(await store.find('orders', 'order-1'), 3);
});
