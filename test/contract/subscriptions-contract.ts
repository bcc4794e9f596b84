import { type TestOptions, test } from 'node:test';
import type { SubscriptionCase, SubscriptionHarness } from './subscriptions/case.ts';
import { deadLetterCases } from './subscriptions/dead-letters.ts';
import { definitionCases } from './subscriptions/definitions.ts';
import { handOutCases } from './subscriptions/hand-out.ts';
import { leaseCases } from './subscriptions/leases.ts';
import { orderCases } from './subscriptions/order.ts';
import { seekCases } from './subscriptions/seeking.ts';

/** Everything that store/subscription-store.ts promises. Every adapter runs all of it. */
export const SUBSCRIPTION_CASES: readonly SubscriptionCase[] = [
  ...definitionCases,
  ...handOutCases,
  ...leaseCases,
  ...orderCases,
  ...deadLetterCases,
  ...seekCases,
];

/** Registers the contract as tests of an adapter. */
export function testSubscriptions(
  adapter: string,
  makeHarness: () => Promise<SubscriptionHarness & AsyncDisposable>,
  options: TestOptions = {},
): void {
  for (const { name, run } of SUBSCRIPTION_CASES) {
    test(`${adapter}: ${name}`, options, async () => {
      await using harness = await makeHarness();
      await run(harness);
    });
  }
}
