import assert from 'node:assert/strict';
import {
  countsOf,
  DEFINITION,
  deadOf,
  dies,
  dueNow,
  kill,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  type SubscriptionCase,
} from './case.ts';

const row = (position: number, topic: string) => ({ position, topic, attempts: 3 });
const positionsOf = (rows: readonly { readonly position: number }[]) => rows.map(({ position }) => position);

export const deadLetterCases: readonly SubscriptionCase[] = [
  {
    name: 'an event dies as it is given back or buried, with its attempts and its reason',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', [row(1, 'a')]);
      await lease(store, 'billing', [row(2, 'b')], { as: leaseOf(2), forMs: 0 });
      const reason = `käse \u{1f9c0} ${'x'.repeat(1017)}`;
      await store.nack('billing', refsOf(leaseOf(1), 1), dies(reason));
      await store.handOut('billing', async (hand) => {
        const due = await hand.due(10);
        await hand.bury(due.map(({ position }) => ({ position, reason: 'the lease ran out' })));
        return {};
      });
      const dead = await deadOf(store, 'billing');
      assert.deepEqual(
        dead.map(({ position, topic, attempts, reason }) => ({ position, topic, attempts, reason })),
        [
          { ...row(1, 'a'), reason },
          { ...row(2, 'b'), reason: 'the lease ran out' },
        ],
      );
      for (const { diedAtMs } of dead) assert.ok(Math.abs(diedAtMs - Date.now()) < 3_600_000);
      const counts = { cursor: 2, leased: 0, waiting: 0, dead: 2, oldestOutstanding: undefined };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
      assert.deepEqual(await dueNow(store, 'billing'), []);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 1)), ['lease_stale']);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(2), 2)), ['lease_stale']);
    },
  },
  {
    name: 'dead events are listed by position, page by page',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', rowsOf(5, 3, 9, 7));
      await lease(store, 'billing', rowsOf(4));
      const page = async (after: number, limit: number) =>
        positionsOf(await store.deadLetters('billing', { after, limit }));
      assert.deepEqual(await page(0, 3), [3, 5, 7]);
      assert.deepEqual(await page(7, 3), [9]);
      assert.deepEqual(await page(9, 3), []);
    },
  },
  {
    name: 'dead events that are driven again wait from now on, as if they had never been tried',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', [row(1, 'a'), row(2, 'a'), row(3, 'a')]);
      await lease(store, 'billing', [row(4, 'a')]);
      assert.equal(await other.redrive('billing', { positions: [3, 1, 1, 4, 99] }), 2);
      assert.deepEqual(positionsOf(await deadOf(store, 'billing')), [2]);
      const fresh = { topic: 'a', attempts: 0, wasLeased: false, reason: undefined };
      assert.deepEqual(await dueNow(store, 'billing'), [
        { ...fresh, position: 1 },
        { ...fresh, position: 3 },
      ]);
      const counts = { cursor: 4, leased: 1, waiting: 2, dead: 1, oldestOutstanding: 1 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
    },
  },
  {
    name: 'dead events that are discarded are gone, and no others',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', rowsOf(1, 2, 3));
      await lease(store, 'billing', rowsOf(4));
      assert.equal(await store.discard('billing', { positions: [2, 4, 99] }), 1);
      assert.deepEqual(positionsOf(await deadOf(store, 'billing')), [1, 3]);
      assert.equal(await store.discard('billing', { positions: [] }), 0);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 4)), ['done']);
    },
  },
  {
    name: 'dead events are chosen by topic, as it is written, or all together',
    async run({ store }) {
      for (const name of ['one', 'two']) {
        await store.put(name, DEFINITION, 0);
        await kill(store, name, [
          row(1, 'a'),
          row(2, 'A'),
          row(3, 'a.b'),
          row(4, 'a'),
          row(5, 'é'),
          row(6, 'e\u0301'),
        ]);
      }
      assert.equal(await store.redrive('one', { topic: 'a' }), 2);
      assert.equal(await store.discard('one', { topic: 'é' }), 1);
      assert.deepEqual(positionsOf(await deadOf(store, 'one')), [2, 3, 6]);
      assert.equal(await store.redrive('one', { topic: 'none' }), 0);
      assert.equal(await store.redrive('one', { topic: undefined }), 3);
      assert.equal(await store.discard('one', { topic: undefined }), 0);
      assert.equal(await store.discard('two', { topic: undefined }), 6);
      assert.equal((await store.get('one'))?.waiting, 5);
    },
  },
];
