import { systemClock } from '../../src/clock.ts';
import { type Kept, MemorySubscriptions } from '../support/memory-subscriptions.ts';
import { testSubscriptions } from './subscriptions-contract.ts';

/** The store that the tests of who gets what are held to keeps what a subscription store promises. */
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
