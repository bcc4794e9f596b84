import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kept } from '../../src/store/memory/memory-subscriptions.ts';
import { BROKEN_SUBSCRIPTIONS } from '../support/broken-subscriptions.ts';
import { SUBSCRIPTION_CASES } from './subscriptions-contract.ts';

for (const { name, foundBy, open } of BROKEN_SUBSCRIPTIONS) {
  test(`the contract finds out a subscription store that: ${name}`, async () => {
    const cases = SUBSCRIPTION_CASES.filter((candidate) => candidate.name.includes(foundBy));
    assert.ok(cases.length > 0, `no case of the contract is named "${foundBy}"`);
    const outcomes = await Promise.allSettled(
      cases.map(async ({ run }) => {
        const kept: Kept = new Map();
        await run({ store: open(kept), other: open(kept), reopen: async () => open(kept) });
      }),
    );
    const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
    // An AssertionError: the case must see the broken promise, not stumble over something else.
    assert.ok(
      reasons.some((reason) => reason instanceof assert.AssertionError),
      String(reasons),
    );
  });
}
