import { type TestOptions, test } from 'node:test';
import type { StoreCase, StoreHarness } from './store/case.ts';
import { conflictCases } from './store/conflicts.ts';
import { counterCases } from './store/counters.ts';
import { durabilityCases } from './store/durability.ts';
import { keyCases } from './store/keys.ts';
import { printingCases } from './store/printing.ts';
import { readingCases } from './store/reading.ts';
import { verdictCases } from './store/verdicts.ts';

/** Everything that store/store.ts promises. Every adapter runs all of it. */
export const STORE_CASES: readonly StoreCase[] = [
  ...verdictCases,
  ...keyCases,
  ...durabilityCases,
  ...counterCases,
  ...readingCases,
  ...printingCases,
  ...conflictCases,
];

/** Registers the contract as tests of an adapter. */
export function testStore(
  adapter: string,
  makeHarness: () => Promise<StoreHarness & AsyncDisposable>,
  options: TestOptions = {},
): void {
  for (const { name, run } of STORE_CASES) {
    test(`${adapter}: ${name}`, options, async () => {
      await using harness = await makeHarness();
      await run(harness);
    });
  }
}
