import { systemClock } from '../../src/clock.ts';
import { type Kept, MemorySubscriptions } from '../../src/store/memory/memory-subscriptions.ts';
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
