import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_STORES } from '../support/broken-stores.ts';
import { STORE_CASES } from './store-contract.ts';

for (const { name, foundBy, makeHarness } of BROKEN_STORES) {
  test(`the contract finds out a store that: ${name}`, async () => {
    const cases = STORE_CASES.filter((candidate) => candidate.name.includes(foundBy));
    assert.ok(cases.length > 0, `no case of the contract is named "${foundBy}"`);
    for (const { run } of cases) {
      await using harness = makeHarness();
      // An AssertionError: the case must see the broken promise, not stumble over something else.
      await assert.rejects(run(harness), assert.AssertionError);
    }
  });
}
