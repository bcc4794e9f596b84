import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Key } from './key.ts';
import { MemoryKeyIndex } from './memory-index.ts';

interface Entry {
  position: number;
  content: { high: number; low: number };
}

/** As the index makes them, so that they can be compared. */
const PLAIN = { noNullPrototype: true };

const word = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 64, 2 ** 31 - 1, -(2 ** 31)));
/** Keys of few different words: many share a table, a slot, or all words but one. */
const crowdedWord = fc.constantFrom(0, 64, 256, -1);
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.record({ a: word, b: word, c: word, d: word }, PLAIN),
  fc.record({ a: crowdedWord, b: crowdedWord, c: crowdedWord, d: crowdedWord }, PLAIN),
);
const entry: fc.Arbitrary<Entry> = fc.record(
  {
    position: fc.oneof(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.constantFrom(1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER),
    ),
    content: fc.record({ high: fc.integer(), low: fc.integer() }, PLAIN),
  },
  PLAIN,
);

function nameOf({ a, b, c, d }: Key): string {
  return `${a} ${b} ${c} ${d}`;
}

/** The entry is the index's own and changes with the next call: copied. */
function found(index: MemoryKeyIndex, wanted: Key): Entry | undefined {
  const at = index.find(wanted);
  return at && { position: at.position, content: { ...at.content } };
}

test('the index finds what a map finds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, entry), { maxLength: 200 }), fc.array(key), (added, others) => {
      const index = new MemoryKeyIndex();
      const model = new Map<string, Entry>();
      for (const [at, value] of added) {
        assert.deepEqual(found(index, at), model.get(nameOf(at)));
        if (model.has(nameOf(at))) continue;
        index.add(at, value.position, value.content);
        model.set(nameOf(at), value);
        assert.deepEqual(found(index, at), value);
      }
      assert.equal(index.size, model.size);
      for (const at of [...added.map(([each]) => each), ...others]) {
        assert.deepEqual(found(index, at), model.get(nameOf(at)), nameOf(at));
      }
    }),
    { numRuns: 300 },
  );
});

test('keys that differ in one bit of one word are two', () => {
  const index = new MemoryKeyIndex();
  const base: Key = { a: 0x1234, b: -5, c: 77, d: 3 };
  const bits = Array.from({ length: 32 }, (_, bit) => 1 << bit);
  const near = bits.flatMap((bit): Key[] => [
    { ...base, a: base.a ^ bit },
    { ...base, b: base.b ^ bit },
    { ...base, c: base.c ^ bit },
    { ...base, d: base.d ^ bit },
  ]);
  index.add(base, 1, { high: 1, low: 1 });
  for (const each of near) assert.equal(index.find(each), undefined, nameOf(each));
  near.forEach((each, i) => index.add(each, i + 2, { high: i, low: i }));
  near.forEach((each, i) => assert.equal(index.find(each)?.position, i + 2));
  assert.equal(index.find(base)?.position, 1);
});

test('nothing is lost when a table grows, again and again', () => {
  const index = new MemoryKeyIndex();
  const before = index.bytes;
  // All in one table, and in a quarter of its slots: long runs of taken ones, over its end too.
  const keys = Array.from({ length: 20_000 }, (_, i) => ({ a: (i * 4) | 48, b: i, c: ~i, d: 7 }));
  keys.forEach((each, i) => index.add(each, i + 1, { high: i, low: ~i }));
  assert.equal(index.size, keys.length);
  assert.ok(index.bytes > before);
  keys.forEach((each, i) => {
    assert.deepEqual(found(index, each), { position: i + 1, content: { high: i, low: ~i } });
    assert.equal(index.find({ ...each, b: each.b + 1 }), undefined);
  });
});

test('a key takes the memory that the documentation says', () => {
  const index = new MemoryKeyIndex();
  const perKey: number[] = [];
  for (let i = 0; i < 400_000; i++) {
    index.add({ a: Math.imul(i, 0x9e3779b1), b: i, c: 0, d: i }, i + 1, { high: 0, low: 0 });
    if (i >= 100_000 && i % 1000 === 0) perKey.push(index.bytes / index.size);
  }
  assert.ok(
    Math.min(...perKey) >= 42 && Math.max(...perKey) <= 86,
    `${Math.min(...perKey)} to ${Math.max(...perKey)}`,
  );
});
