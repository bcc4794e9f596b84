import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Outstanding, Verdict } from '../../../src/store/subscription-store.ts';
import {
  countsOf,
  DEFINITION,
  dueNow,
  kill,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  SHORT_MS,
  type SubscriptionCase,
  soon,
  waits,
} from './case.ts';

export const handOutCases: readonly SubscriptionCase[] = [
  {
    name: 'a hand-out sees its subscription and counts once it has resolved',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      const result = await store.handOut('billing', async (hand) => {
        assert.deepEqual(hand.subscription, await other.get('billing'));
        assert.ok(Math.abs(hand.nowMs - Date.now()) < 3_600_000, `now is ${hand.nowMs}`);
        assert.deepEqual(await hand.due(10), []);
        assert.equal(await hand.nextDueMs(), undefined);
        assert.deepEqual(await hand.busyTopics(), new Map());
        await hand.lease(rowsOf(3, 5), leaseOf(1), 60_000);
        await hand.advance(7);
        return { leased: 2 };
      });
      assert.deepEqual(result, { leased: 2 });
      const counts = { cursor: 7, leased: 2, waiting: 0, dead: 0, oldestOutstanding: 3 };
      assert.deepEqual(await countsOf(other, 'billing'), counts);
    },
  },
  {
    name: 'a hand-out whose work throws leaves nothing behind, and the next one goes on',
    async run({ store }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2), { forMs: 0 });
      const before = await store.get('billing');
      const due = await dueNow(store, 'billing');
      const broken = store.handOut('billing', async (hand) => {
        await hand.due(10);
        await hand.lease(rowsOf(1, 3), leaseOf(2), 60_000);
        await hand.hold([{ position: 4, topic: 'orders.eu' }]);
        await hand.bury([{ position: 2, reason: 'in vain' }]);
        await hand.advance(9);
        throw new Error('broken work');
      });
      await assert.rejects(broken, /broken work/);
      assert.deepEqual(await store.get('billing'), before);
      assert.deepEqual(await dueNow(store, 'billing'), due);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(2), 1, 3)), ['lease_stale', 'lease_stale']);
      await lease(store, 'billing', rowsOf(3), { as: leaseOf(3) });
      assert.equal((await store.get('billing'))?.cursor, 3);
    },
  },
  {
    name: 'hand-outs of one subscription come one after the other, from whichever instance',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      let inside = 0;
      const once = async (n: number) => {
        await (n % 2 === 0 ? store : other).handOut('billing', async (hand) => {
          assert.equal(++inside, 1, 'nobody else is at it');
          const { cursor } = hand.subscription;
          await hand.lease(rowsOf(cursor + 1), leaseOf(n), 60_000);
          await pause(2);
          await hand.advance(cursor + 1);
          inside--;
          return {};
        });
      };
      await Promise.all(Array.from({ length: 20 }, (_, n) => once(n)));
      const counts = { cursor: 20, leased: 20, waiting: 0, dead: 0, oldestOutstanding: 1 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
    },
  },
  {
    name: 'a hand-out of one subscription waits for none of another',
    async run({ store, other }) {
      await store.put('slow', DEFINITION, 0);
      await store.put('quick', DEFINITION, 0);
      const entered = Promise.withResolvers<void>();
      const leave = Promise.withResolvers<void>();
      const slow = store.handOut('slow', async () => {
        entered.resolve();
        await leave.promise;
        return {};
      });
      await entered.promise;
      try {
        await soon('a hand-out beside', lease(store, 'quick', rowsOf(1)));
        await soon('a hand-out beside', lease(other, 'quick', rowsOf(2)));
        assert.equal((await store.get('quick'))?.cursor, 2);
      } finally {
        leave.resolve();
        await slow;
      }
    },
  },
  {
    name: 'leases are ended, and all can be read, while a hand-out of the same subscription is at work',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', rowsOf(1, 2));
      await lease(store, 'billing', rowsOf(3, 4, 5, 6));
      const endLeases = async () => {
        assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 3)), ['done']);
        assert.deepEqual(await other.ack('billing', refsOf(leaseOf(1), 4)), ['done']);
        assert.deepEqual(await store.nack('billing', refsOf(leaseOf(1), 5), waits(60_000)), ['done']);
        assert.deepEqual(await other.extend('billing', refsOf(leaseOf(1), 6), 60_000), ['done']);
        assert.equal((await store.deadLetters('billing', { after: 0, limit: 10 })).length, 2);
        assert.equal((await store.list({ after: undefined, limit: 10 })).length, 1);
      };
      await store.handOut('billing', async (hand) => {
        await hand.due(10);
        await hand.lease(rowsOf(7), leaseOf(2), 60_000);
        await soon('what goes on meanwhile', endLeases());
        await hand.advance(7);
        return {};
      });
      const counts = { cursor: 7, leased: 2, waiting: 1, dead: 2, oldestOutstanding: 5 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
    },
  },
  {
    name: 'who acknowledges while their event is handed out again loses, whoever asks first',
    async run({ store, other }) {
      await store.put('billing', DEFINITION, 0);
      await lease(store, 'billing', rowsOf(1, 2), { forMs: 0 });
      const late: Promise<unknown>[] = [];
      await store.handOut('billing', async (hand) => {
        const due = await hand.due(10);
        assert.equal(due.length, 2);
        // Refused now, or when the hand-out has ended: it must not wait for it within.
        late.push(other.ack('billing', refsOf(leaseOf(1), 1)), store.ack('billing', refsOf(leaseOf(1), 2)));
        await pause(SHORT_MS);
        await hand.lease(
          due.map((row) => ({ ...row, attempts: row.attempts + 1 })),
          leaseOf(2),
          60_000,
        );
        return {};
      });
      for (const settled of await Promise.all(late))
        assert.ok(['lease_stale', 'lease_expired'].includes(String(settled)), String(settled));
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(2), 1, 2)), ['done', 'done']);
    },
  },
  {
    name: 'ten thousand outstanding events are handed out, given back and acknowledged together',
    async run({ store }) {
      await store.put('billing', { ...DEFINITION, inFlightMax: 100_000 }, 0);
      const positions = Array.from({ length: 10_000 }, (_, i) => i + 1);
      await lease(store, 'billing', rowsOf(...positions));
      const refs = refsOf(leaseOf(1), ...positions);
      assert.deepEqual(new Set(await store.extend('billing', refs, 60_000)), new Set(['done']));
      assert.equal(
        (await store.nack('billing', refs, oddOnesDie)).filter((one) => one === 'done').length,
        10_000,
      );
      const counts = { cursor: 10_000, leased: 0, waiting: 5000, dead: 5000, oldestOutstanding: 2 };
      assert.deepEqual(await countsOf(store, 'billing'), counts);
      assert.equal(await store.redrive('billing', { topic: undefined }), 5000);
      await store.handOut('billing', async (hand) => {
        const due = await hand.due(20_000);
        assert.equal(due.length, 10_000);
        await hand.lease(due, leaseOf(2), 60_000);
        return {};
      });
      const settled = await store.ack('billing', refsOf(leaseOf(2), ...positions));
      assert.equal(settled.filter((one) => one === 'done').length, 10_000);
      assert.equal((await store.get('billing'))?.leased, 0);
    },
  },
];

function oddOnesDie({ position }: Outstanding): Verdict {
  if (position % 2 === 1) return { kind: 'dead', reason: 'odd' };
  return { kind: 'wait', delayMs: 0, reason: undefined };
}
