import { wait } from '../../src/client/backoff.ts';
import { MemoryQueue } from '../support/memory-queue.ts';
import { BYTES_MAX, CLAIM_MS } from './queue/case.ts';
import { testQueue } from './queue-contract.ts';

/** The queue that the workers' tests are held to keeps what a queue promises. */
testQueue('in memory', { skip: false }, async () => {
  const server = new MemoryQueue({ nowMs: () => performance.now(), sleep: wait }, { claimMs: CLAIM_MS });
  return {
    openQueue: async ({ bytesMax = BYTES_MAX } = {}) => server.limitedTo(bytesMax),
    openConsumer: async ({ claimMs = CLAIM_MS } = {}) => server.consumer(claimMs),
    kill: async () => {
      server.isAway = true;
    },
    restart: async () => {
      server.isAway = false;
    },
    loseMemory: async () => server.loseMemory(),
    [Symbol.asyncDispose]: async () => {},
  };
});
