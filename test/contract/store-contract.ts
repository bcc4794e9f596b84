import { type TestOptions, test } from 'node:test';
import type { StoreCase, StoreHarness } from './store/case.ts';
import { conflictCases } from './store/conflicts.ts';
import { counterCases } from './store/counters.ts';
import { durabilityCases } from './store/durability.ts';
import { keyCases } from './store/keys.ts';
import { printingCases } from './store/printing.ts';
import { readingCases } from './store/reading.ts';
import { sequenceCases } from './store/sequences.ts';
import { verdictCases } from './store/verdicts.ts';

/** Everything that store/store.ts and store/store-reader.ts promise. Every adapter runs all of it. */
export const STORE_CASES: readonly StoreCase[] = [
  ...verdictCases,
  ...keyCases,
  ...durabilityCases,
  ...counterCases,
  ...readingCases,
  ...printingCases,
  ...sequenceCases,
  ...conflictCases,
];

/** What an adapter does not promise. */
export interface Gap {
  readonly cases: readonly StoreCase[];
  readonly reason: string;
}

/** Registers the contract as tests of an adapter. */
export function testStore(
  adapter: string,
  makeHarness: () => Promise<StoreHarness & AsyncDisposable>,
  { gap, ...options }: TestOptions & { readonly gap?: Gap } = {},
): void {
  for (const one of STORE_CASES) {
    const { name, run } = one;
    const skip = gap?.cases.includes(one) ? gap.reason : options.skip;
    test(`${adapter}: ${name}`, { ...options, ...(skip && { skip }) }, async () => {
      await using harness = await makeHarness();
      await run(harness);
    });
  }
}
