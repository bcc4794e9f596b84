import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BROKEN_QUEUES } from '../support/broken-queues.ts';
import { RedisQueueHarness } from '../support/redis-queue-harness.ts';
import { useServices } from '../support/services/services.ts';
import type { QueueHarness } from './queue/case.ts';
import { QUEUE_CASES } from './queue-contract.ts';

const { options } = useServices('redis-server');

// Two at once: some of the promises take seconds to be seen broken.
describe('the contract finds out a queue that', { ...options, concurrency: 2 }, () => {
  for (const { name, foundBy, breakIt } of BROKEN_QUEUES) {
    test(name, async () => {
      const cases = QUEUE_CASES.filter((candidate) => candidate.name.includes(foundBy));
      assert.ok(cases.length > 0, `no case of the contract is named "${foundBy}"`);
      for (const { run } of cases) {
        await using harness = await RedisQueueHarness.start();
        const { openQueue, openConsumer, kill, restart, loseMemory } = harness;
        const whole: QueueHarness = { openQueue, openConsumer, kill, restart, loseMemory };
        // An AssertionError: the case must see the broken promise, not stumble over something else.
        await assert.rejects(run({ ...whole, ...breakIt(harness) }), assert.AssertionError);
      }
    });
  }
});
