import assert from 'node:assert/strict';
import {
  countsOf,
  DEFINITION,
  dueCount,
  dueNow,
  holdsNone,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  SHORT_MS,
  type SubscriptionCase,
  waits,
} from './case.ts';

export const leaseCases: readonly SubscriptionCase[] = [
  {
    name: 'what is acknowledged is gone; each lease is told whether it counted, in order',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2, 3));
      const mixed = [...refsOf(leaseOf(1), 3), ...refsOf(leaseOf(2), 1), ...refsOf(leaseOf(1), 99, 1, 3)];
      assert.deepEqual(await other.ack('billing', mixed), [
        'done',
        'lease_stale',
        'lease_stale',
        'done',
        'lease_stale',
      ]);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 1)), ['lease_stale']);
      assert.deepEqual(await store.ack('billing', []), []);
      const counts = { cursor: 3, leased: 1, waiting: 0, dead: 0, oldestOutstanding: 2 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
    },
  },
  {
    name: 'leases of one subscription mean nothing to another',
    async run({ store }) {
      for (const name of ['one', 'two']) {
        await store.put(name, DEFINITION, 0);
        await lease(store, name, rowsOf(1), { as: leaseOf(name === 'one' ? 1 : 2) });
      }
      assert.deepEqual(await store.ack('two', refsOf(leaseOf(1), 1)), ['lease_stale']);
      assert.deepEqual(await store.ack('one', refsOf(leaseOf(1), 1)), ['done']);
      assert.equal((await store.get('two'))?.leased, 1);
    },
  },
  {
    name: 'a lease whose time is over is refused, though nobody else has the event yet',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2), { forMs: SHORT_MS });
      assert.deepEqual(await dueCount(store, 'billing', 2), [1, 2]);
      const refs = refsOf(leaseOf(1), 1, 2);
      const expired = ['lease_expired', 'lease_expired'];
      assert.deepEqual(await other.ack('billing', refs), expired);
      assert.deepEqual(await store.extend('billing', refs, 60_000), expired);
      assert.deepEqual(await store.nack('billing', refs, holdsNone), expired);
      assert.deepEqual(await dueCount(store, 'billing', 2), [1, 2]);
      assert.equal((await store.get('billing'))?.leased, 2, 'they are not given back, only over');
    },
  },
  {
    name: 'a lease ends with its last millisecond',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1), { forMs: 0 });
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 1)), ['lease_expired']);
      assert.equal((await dueNow(store, 'billing')).length, 1);
    },
  },
  {
    name: 'what was handed out again is not for whoever had it first',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2, 3), { forMs: SHORT_MS });
      await dueCount(store, 'billing', 3);
      const again = rowsOf(1, 2, 3).map((row) => ({ ...row, attempts: 2 }));
      await lease(store, 'billing', again, { as: leaseOf(2) });
      const first = refsOf(leaseOf(1), 1, 2, 3);
      const stale = first.map(() => 'lease_stale');
      assert.deepEqual(await store.ack('billing', first), stale);
      assert.deepEqual(await store.extend('billing', first, 0), stale);
      assert.deepEqual(await store.nack('billing', first, holdsNone), stale);
      assert.equal((await store.get('billing'))?.leased, 3);
      assert.deepEqual(await dueNow(store, 'billing'), []);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(2), 1, 2, 3)), ['done', 'done', 'done']);
    },
  },
  {
    name: 'a lease that was extended runs from then on, longer or shorter',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1), { as: leaseOf(1), forMs: 30_000 });
      await lease(store, 'billing', rowsOf(2), { as: leaseOf(2), forMs: 30_000 });
      const next = () =>
        store.handOut('billing', async (hand) => ({ at: await hand.nextDueMs(), now: hand.nowMs }));
      assert.deepEqual(await store.extend('billing', refsOf(leaseOf(1), 1), 3_600_000), ['done']);
      assert.deepEqual(await store.extend('billing', refsOf(leaseOf(2), 2), 7_200_000), ['done']);
      const { at, now } = (await next())!;
      assert.ok(at! - now > 3_500_000 && at! - now <= 3_600_000, `due in ${at! - now} ms`);
      assert.deepEqual(await store.extend('billing', refsOf(leaseOf(1), 1), 0), ['done']);
      assert.deepEqual(await dueCount(store, 'billing', 1), [1]);
    },
  },
  {
    name: 'an event is given back with its attempts, waits as long as was decided, and holds no lease',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      const rows = [
        { position: 1, topic: 'orders.eu', attempts: 1 },
        { position: 2, topic: 'orders.us', attempts: 4 },
        { position: 3, topic: 'orders.uk', attempts: 2 },
      ];
      await lease(store, 'billing', rows);
      const seen: unknown[] = [];
      const settled = await store.nack('billing', refsOf(leaseOf(1), 2, 9, 1, 3), (row) => {
        seen.push(row);
        if (row.position === 1) return { kind: 'wait', delayMs: 60_000, reason: 'later' };
        if (row.position === 2) return { kind: 'wait', delayMs: 0, reason: 'now' };
        return { kind: 'dead', reason: 'never' };
      });
      assert.deepEqual(settled, ['done', 'lease_stale', 'done', 'done']);
      assert.deepEqual(new Set(seen), new Set(rows));
      const counts = { cursor: 3, leased: 0, waiting: 2, dead: 1, oldestOutstanding: 1 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
      assert.deepEqual(await dueNow(store, 'billing'), [{ ...rows[1], wasLeased: false, reason: 'now' }]);
      assert.deepEqual(
        await store.ack('billing', refsOf(leaseOf(1), 1, 2, 3)),
        rows.map(() => 'lease_stale'),
      );
    },
  },
  {
    name: 'what is given back counts as handed out as often as was decided',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      const rows = [1, 2, 3].map((position) => ({ position, topic: 'orders.eu', attempts: position }));
      await lease(store, 'billing', rows);
      await store.nack('billing', refsOf(leaseOf(1), 3, 1, 2), ({ position, attempts }) => {
        const untried = position === 2 ? {} : { attempts: attempts - 1 };
        return { kind: 'wait', delayMs: 0, reason: undefined, ...untried };
      });
      assert.deepEqual(
        (await dueNow(store, 'billing')).map(({ position, attempts }) => [position, attempts]),
        [
          [1, 0],
          [2, 2],
          [3, 2],
        ],
      );
    },
  },
  {
    name: 'a lease that is named twice in one call counts once',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2));
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 1, 1)), ['done', 'lease_stale']);
      assert.deepEqual(await store.nack('billing', refsOf(leaseOf(1), 2, 2), waits(0)), [
        'done',
        'lease_stale',
      ]);
    },
  },
  {
    name: 'of many who end one lease at the same time, one counts',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2, 3));
      const tries = Array.from({ length: 10 }, (_, n) => {
        const by = n % 2 === 0 ? store : other;
        // In other orders, so that those who lock row by row meet.
        const refs = refsOf(leaseOf(1), ...(n % 3 === 0 ? [1, 2, 3] : [3, 2, 1]));
        return n % 5 === 0 ? by.nack('billing', refs, waits(0)) : by.ack('billing', refs);
      });
      const settled = (await Promise.all(tries)).flat();
      assert.equal(settled.filter((one) => one === 'done').length, 3);
    },
  },
];
