import { test } from 'node:test';
import { acknowledgingCases } from './queue/acknowledging.ts';
import type { QueueCase, QueueHarness } from './queue/case.ts';
import { crashCases } from './queue/crashes.ts';
import { deliveryCases } from './queue/delivery.ts';
import { totalsCases } from './queue/totals.ts';
import { waitingCases } from './queue/waiting.ts';

/** Everything that queue/queue.ts promises. Every adapter runs all of it. */
export const QUEUE_CASES: readonly QueueCase[] = [
  ...deliveryCases,
  ...acknowledgingCases,
  ...totalsCases,
  ...waitingCases,
  ...crashCases,
];

/** Registers the contract as tests of an adapter. */
export function testQueue(
  adapter: string,
  options: { skip: string | false },
  makeHarness: () => Promise<QueueHarness & AsyncDisposable>,
): void {
  for (const { name, run } of QUEUE_CASES) {
    test(`${adapter}: ${name}`, options, async () => {
      await using harness = await makeHarness();
      await run(harness);
    });
  }
}
