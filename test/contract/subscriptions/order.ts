import assert from 'node:assert/strict';
import {
  countsOf,
  DEFINITION,
  dies,
  dueCount,
  dueNow,
  LONG_MS,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  SHORT_MS,
  type SubscriptionCase,
  waits,
} from './case.ts';

const ordered = { ...DEFINITION, ordered: true };
const row = (position: number, topic: string) => ({ position, topic, attempts: 1 });

export const orderCases: readonly SubscriptionCase[] = [
  {
    name: 'who has been due for longest comes first, then by position',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2, 3, 4, 5, 6));
      await store.nack('billing', refsOf(leaseOf(1), 6, 5), waits(0));
      assert.deepEqual(await dueCount(store, 'billing', 2), [5, 6]);
      await store.nack('billing', refsOf(leaseOf(1), 2, 1), waits(SHORT_MS));
      assert.deepEqual(await dueCount(store, 'billing', 4), [5, 6, 1, 2]);
      assert.deepEqual(
        (await dueNow(store, 'billing', 3)).map(({ position }) => position),
        [5, 6, 1],
      );
    },
  },
  {
    name: 'what is due is told as it was: leased or waiting, with attempts and reason',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', [row(1, 'a'), { ...row(2, 'b'), attempts: 7 }, row(3, 'c')]);
      await store.nack('billing', refsOf(leaseOf(1), 2), () => ({
        kind: 'wait',
        delayMs: 0,
        reason: 'boom',
      }));
      await store.extend('billing', refsOf(leaseOf(1), 3), 0);
      await dueCount(store, 'billing', 2);
      const due = await dueNow(store, 'billing');
      due.sort((a, b) => a.position - b.position);
      assert.deepEqual(due, [
        { ...row(2, 'b'), attempts: 7, wasLeased: false, reason: 'boom' },
        { ...row(3, 'c'), wasLeased: true, reason: undefined },
      ]);
      await lease(store, 'billing', [{ ...row(2, 'b'), attempts: 8 }], { as: leaseOf(2), forMs: 0 });
      await dueCount(store, 'billing', 2);
      const again = (await dueNow(store, 'billing')).find(({ position }) => position === 2);
      assert.deepEqual(again, { ...row(2, 'b'), attempts: 8, wasLeased: true, reason: undefined });
    },
  },
  {
    name: 'when the next one becomes due is known, by the clock of the store',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      const next = async () =>
        (await store.handOut('billing', async (hand) => ({
          inMs: ((await hand.nextDueMs()) ?? -1e9) - hand.nowMs,
        })))!.inMs;
      await lease(store, 'billing', rowsOf(1), { as: leaseOf(1), forMs: 2 * LONG_MS });
      await lease(store, 'billing', rowsOf(2), { as: leaseOf(2), forMs: LONG_MS });
      const inMs = await next();
      assert.ok(inMs > LONG_MS - 60_000 && inMs <= LONG_MS, `in ${inMs} ms`);
      await store.nack('billing', refsOf(leaseOf(1), 1), waits(0));
      assert.ok((await next()) <= 0);
    },
  },
  {
    name: 'the lowest outstanding event of each busy topic is known; dead and acked ones make none busy',
    async run({ store }) {
      await store.put('billing', ordered, 0);
      await lease(store, 'billing', [row(1, 'a'), row(2, 'b'), row(3, 'a'), row(4, 'c'), row(5, 'd')]);
      await store.nack('billing', refsOf(leaseOf(1), 4), dies('poison'));
      await store.nack('billing', refsOf(leaseOf(1), 3), waits(LONG_MS));
      await store.ack('billing', refsOf(leaseOf(1), 1, 5));
      const busy = await store.handOut('billing', (hand) => hand.busyTopics());
      assert.deepEqual(
        busy,
        new Map([
          ['b', 2],
          ['a', 3],
        ]),
      );
    },
  },
  {
    name: 'ordered: an event that is held waits for the earlier ones of its topic, and is due when they are settled',
    async run({ store }) {
      await store.put('billing', ordered, 0);
      await store.handOut('billing', async (hand) => {
        await hand.lease([row(1, 'a'), row(2, 'b')], leaseOf(1), LONG_MS);
        await hand.hold([
          { position: 3, topic: 'a' },
          { position: 4, topic: 'a' },
          { position: 5, topic: 'b' },
        ]);
        await hand.advance(5);
        return {};
      });
      const counts = { cursor: 5, leased: 2, waiting: 3, dead: 0, oldestOutstanding: 1 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
      assert.deepEqual(await dueNow(store, 'billing'), []);
      const next = await store.handOut('billing', async (hand) => ({
        inMs: (await hand.nextDueMs())! - hand.nowMs,
      }));
      assert.ok(next!.inMs > LONG_MS / 2, `those behind others do not count, but ${next!.inMs} ms does`);

      await store.ack('billing', refsOf(leaseOf(1), 1));
      assert.deepEqual(await dueNow(store, 'billing'), [
        { position: 3, topic: 'a', attempts: 0, wasLeased: false, reason: undefined },
      ]);
      await store.nack('billing', refsOf(leaseOf(1), 2), dies('poison'));
      assert.deepEqual(await dueCount(store, 'billing', 2), [3, 5]);
    },
  },
  {
    name: 'ordered: an event that is leased or waits again keeps the later ones of its topic back',
    async run({ store }) {
      await store.put('billing', ordered, 0);
      await lease(store, 'billing', [row(1, 'a'), row(2, 'a'), row(3, 'b')], { forMs: 0 });
      assert.deepEqual(
        (await dueNow(store, 'billing')).map(({ position }) => position),
        [1, 3],
      );
      await lease(store, 'billing', [row(1, 'a')], { as: leaseOf(2) });
      assert.deepEqual(await dueCount(store, 'billing', 1), [3]);
      await store.nack('billing', refsOf(leaseOf(2), 1), waits(LONG_MS));
      assert.deepEqual(await dueCount(store, 'billing', 1), [3]);
      await store.put('billing', DEFINITION, 0);
      assert.deepEqual(await dueCount(store, 'billing', 2), [2, 3], 'ordered no more');
    },
  },
  {
    name: 'ordered: what is due is found behind a thousand that are not',
    async run({ store }) {
      await store.put('billing', ordered, 0);
      await store.handOut('billing', async (hand) => {
        await hand.lease([row(1, 'a')], leaseOf(1), LONG_MS);
        await hand.hold(Array.from({ length: 1000 }, (_, i) => ({ position: i + 2, topic: 'a' })));
        await hand.lease([row(1002, 'b')], leaseOf(2), 0);
        await hand.advance(1002);
        return {};
      });
      assert.deepEqual(
        (await dueNow(store, 'billing', 1)).map(({ position }) => position),
        [1002],
      );
    },
  },
];
