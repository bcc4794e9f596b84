import assert from 'node:assert/strict';
import {
  countsOf,
  DEFINITION,
  deadOf,
  dueNow,
  kill,
  LONG_MS,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  type SubscriptionCase,
  waits,
} from './case.ts';

export const seekCases: readonly SubscriptionCase[] = [
  {
    name: 'a cursor that is moved gives up what is outstanding, and its leases are stale',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await store.put('other', DEFINITION, 0);
      for (const name of ['billing', 'other']) await lease(store, name, rowsOf(1, 2, 3));
      await store.nack('billing', refsOf(leaseOf(1), 2), waits(0));
      assert.equal(await other.seek('billing', 1), true);
      const counts = { cursor: 1, leased: 0, waiting: 0, dead: 0, oldestOutstanding: undefined };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 1, 3)), ['lease_stale', 'lease_stale']);
      assert.deepEqual(await dueNow(store, 'billing'), []);
      assert.equal(await store.seek('billing', 2 ** 52), true);
      assert.equal((await store.get('billing'))?.cursor, 2 ** 52);
      assert.equal((await store.get('other'))?.leased, 3);
    },
  },
  {
    name: 'dead events stay, at or below the cursor; those above it are pending again',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', rowsOf(1, 2, 3, 4));
      await store.seek('billing', 10);
      assert.equal((await deadOf(store, 'billing')).length, 4);
      await store.seek('billing', 2);
      assert.deepEqual(
        (await deadOf(store, 'billing')).map(({ position }) => position),
        [1, 2],
      );
      await lease(store, 'billing', rowsOf(3, 4), { as: leaseOf(2) });
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(2), 3, 4)), ['done', 'done']);
    },
  },
  {
    name: 'a cursor is not moved while a hand-out is at work, which would put it back',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      const moved: Promise<boolean>[] = [];
      await store.handOut('billing', async (hand) => {
        await hand.due(10);
        moved.push(other.seek('billing', 3));
        await hand.lease(rowsOf(50), leaseOf(1), LONG_MS);
        await hand.advance(50);
        return {};
      });
      assert.deepEqual(await Promise.all(moved), [true]);
      const counts = { cursor: 3, leased: 0, waiting: 0, dead: 0, oldestOutstanding: undefined };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
    },
  },
];
