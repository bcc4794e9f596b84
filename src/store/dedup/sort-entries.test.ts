import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareKeys, ENTRY_WORDS } from './entry.ts';
import { sortEntries } from './sort-entries.ts';

const word = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
const entry = fc.array(word, { minLength: ENTRY_WORDS, maxLength: ENTRY_WORDS });

test('entries come in the order of their keys, each one once and whole', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 300 }), (entries) => {
      const words = Int32Array.from([...entries.flat(), 9, 9, 9, 9, 9, 9, 9, 9]);
      const { words: near, order } = sortEntries(words, entries.length);
      const expected = entries.map((each) => Int32Array.from(each)).sort((l, r) => compareKeys(l, 0, r, 0));
      const sorted = Array.from(order, (number) =>
        near.slice(number * ENTRY_WORDS, (number + 1) * ENTRY_WORDS),
      );
      sorted.forEach((each, i) => assert.equal(compareKeys(each, 0, expected[i]!, 0), 0));
      assert.deepEqual(sorted.map(String).sort(), expected.map(String).sort());
    }),
    { numRuns: 300 },
  );
});
