import { isDeepStrictEqual } from 'node:util';
import { bold, green, red } from '../terminal.ts';

/** What can be counted or named of a step, each under a few words. */
export type Facts = Readonly<Record<string, number | string | readonly string[]>>;

export interface Expectation {
  readonly what: string;
  readonly expected: Facts[string] | undefined;
  readonly saw: Facts[string] | undefined;
  readonly held: boolean;
}

/** Puts side by side what is expected and what was seen. A fact that only one of the two has does not hold. */
export function compare(expected: Facts, seen: Facts): Expectation[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(seen)]);
  return [...names].map((what) => ({
    what,
    expected: expected[what],
    saw: seen[what],
    held: isDeepStrictEqual(expected[what], seen[what]),
  }));
}

/** One line each: ✓ or ✗, what it is about, what was expected, what was seen. */
export function expectationLines(expectations: readonly Expectation[]): string[] {
  const rows = expectations.map(({ what, expected, saw, held }) => ({
    mark: held ? green('✓') : red('✗'),
    what,
    expected: factText(expected),
    saw: held ? factText(saw) : bold(red(factText(saw))),
  }));
  const whatWidth = Math.max(0, ...rows.map(({ what }) => what.length));
  const expectedWidth = Math.max(0, ...rows.map(({ expected }) => expected.length));
  return rows.map(
    ({ mark, what, expected, saw }) =>
      `${mark} ${what.padEnd(whatWidth)}  expected ${expected.padEnd(expectedWidth)}  saw ${saw}`,
  );
}

function factText(fact: Facts[string] | undefined): string {
  if (fact === undefined) return 'nothing';
  if (typeof fact === 'number') return fact.toLocaleString('en-US');
  return typeof fact === 'string' ? fact : fact.join(', ');
}
