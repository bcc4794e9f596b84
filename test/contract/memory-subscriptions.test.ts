import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { type Kept, MemorySubscriptions } from '../../src/store/memory/memory-subscriptions.ts';
import { DEFINITION, LONG_MS, leaseOf } from './subscriptions/case.ts';
import { testSubscriptions } from './subscriptions-contract.ts';

/** Who gets what is tried over this store, and sekali/testing has it: it keeps what a subscription store promises. */
testSubscriptions('in memory', async () => {
  const kept: Kept = new Map();
  const open = () => new MemorySubscriptions(systemClock, kept);
  return {
    store: open(),
    other: open(),
    reopen: async () => open(),
    [Symbol.asyncDispose]: async () => {},
  };
});

// More than a call takes for arguments; there may be as many, for what is redriven comes on top of what is in flight.
test('in memory: what is due next is found among two hundred thousand', async () => {
  const store = new MemorySubscriptions(systemClock);
  await store.put('mailer', DEFINITION, 0);
  const rows = Array.from({ length: 200_000 }, (_, i) => ({ position: i + 1, topic: 'orders', attempts: 1 }));
  const [first, ...others] = rows;
  const nowMs = await store.handOut('mailer', async (hand) => {
    await hand.lease(others, leaseOf(1), 2 * LONG_MS);
    await hand.lease([first!], leaseOf(2), LONG_MS);
    return hand.nowMs;
  });
  const due = await store.handOut('mailer', async (hand) => ({ atMs: await hand.nextDueMs() }));
  assert.equal(due?.atMs, nowMs! + LONG_MS);
});
