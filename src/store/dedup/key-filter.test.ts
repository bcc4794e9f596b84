import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Key } from './key.ts';
import { addToFilter, BLOCK_WORDS, filterBlocks, foldFilter, lastHolding } from './key-filter.ts';

function makeFilter(keys: readonly Key[], keysMax = keys.length): { words: Int32Array; blocks: number } {
  const blocks = filterBlocks(keysMax);
  const words = new Int32Array(blocks * BLOCK_WORDS);
  for (const { a, b, c, d } of keys) addToFilter(words, blocks, Int32Array.of(a, b, c, d), 0);
  return { words, blocks };
}

function randomKeys(count: number): Key[] {
  const words = crypto.getRandomValues(new Int32Array(4096));
  return Array.from({ length: count }, (_, i) => ({
    a: Math.imul(i, 0x9e3779b1) ^ words[i % 4096]!,
    b: words[(i * 7 + (i >> 12)) % 4096]! ^ i,
    c: words[(i * 11 + (i >> 10)) % 4096]! ^ Math.imul(i, 0x85ebca6b),
    d: words[(i * 13 + (i >> 8)) % 4096]! ^ Math.imul(i, 0xc2b2ae35),
  }));
}

test('a filter never denies a key that was added, at any number of keys', () => {
  const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)));
  const key = fc.record({ a: word, b: word, c: word, d: word });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 50 }), fc.integer({ min: 1, max: 100_000 }), (keys, keysMax) => {
      const filter = makeFilter(keys, keysMax);
      for (const each of keys) assert.equal(lastHolding([filter], 0, each), 0);
      const words = foldFilter(filter.words, keys.length);
      const folded = { words, blocks: words.length / BLOCK_WORDS };
      for (const each of keys) assert.equal(lastHolding([folded], 0, each), 0);
    }),
  );
});

test('of keys that were not added it takes less than one in 500 for one, at two bytes a key', () => {
  const keys = randomKeys(400_000);
  const filter = makeFilter(keys.slice(0, 200_000));
  assert.ok(filter.words.byteLength <= 2 * 200_000);
  const wrong = keys.slice(200_000).filter((key) => lastHolding([filter], 0, key) >= 0).length;
  assert.ok(wrong < 400, `${wrong} of 200,000`);
});

test('a filter made for more keys than came is folded to the one that fits them', () => {
  const keys = randomKeys(10_000);
  const folded = foldFilter(makeFilter(keys, 40_000).words, keys.length);
  assert.deepEqual(new Int32Array(folded), makeFilter(keys, (folded.length / BLOCK_WORDS) * 32).words);
  assert.ok(folded.byteLength < 10_000 * 4);
});

test('of several filters the last is named first', () => {
  const [one, other] = randomKeys(2);
  const filters = [makeFilter([one!]), makeFilter([one!, other!]), makeFilter([])];
  assert.equal(lastHolding(filters, 2, one!), 1);
  assert.equal(lastHolding(filters, 0, one!), 0);
  assert.equal(lastHolding(filters, -1, one!), -1);
});
