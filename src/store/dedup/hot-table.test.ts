import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readEntry, reusedEntry } from './entry.ts';
import { HotTable } from './hot-table.ts';
import type { Key } from './key.ts';
import type { KeyEntry } from './key-index.ts';

const PLAIN = { noNullPrototype: true };
const word = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 64, 2 ** 31 - 1, -(2 ** 31)));
/** Keys of few different words: many share a slot, or all words but one. */
const crowdedWord = fc.constantFrom(0, 64, 2 ** 21, -1);
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.record({ a: word, b: word, c: word, d: word }, PLAIN),
  fc.record({ a: crowdedWord, b: crowdedWord, c: crowdedWord, d: crowdedWord }, PLAIN),
);
const entry: fc.Arbitrary<KeyEntry> = fc.record(
  {
    position: fc.oneof(
      fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      fc.constantFrom(1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 48 - 1),
    ),
    content: fc.record({ high: fc.integer(), low: fc.integer() }, PLAIN),
    windowClass: fc.nat({ max: 0xffff }),
  },
  PLAIN,
);

function nameOf({ a, b, c, d }: Key): string {
  return `${a} ${b} ${c} ${d}`;
}

function found(table: HotTable, key: Key): KeyEntry | undefined {
  const at = table.find(key);
  return at < 0 ? undefined : readEntry(table.words, at, reusedEntry());
}

test('the table finds what a map finds; what is put again takes the place of what was', () => {
  const table = new HotTable();
  fc.assert(
    fc.property(fc.array(fc.tuple(key, entry), { maxLength: 200 }), fc.array(key), (puts, others) => {
      table.clear();
      const model = new Map<string, KeyEntry>();
      for (const [key, { position, content, windowClass }] of puts) {
        assert.deepEqual(found(table, key), model.get(nameOf(key)));
        table.put(key, position, content, windowClass);
        model.set(nameOf(key), { position, content, windowClass });
      }
      assert.equal(table.count, model.size);
      assert.equal(table.firstPosition, puts[0]?.[1].position ?? 0);
      assert.equal(table.lastPosition, puts.at(-1)?.[1].position ?? 0);
      for (const each of [...puts.map(([key]) => key), ...others]) {
        assert.deepEqual(found(table, each), model.get(nameOf(each)));
      }
    }),
    { numRuns: 300 },
  );
});

test('nothing is lost when it grows, and it keeps its size when it is emptied', () => {
  const table = new HotTable();
  const small = table.bytes;
  // All in a few slots: long runs of taken ones, over the end of the table too.
  const keys = Array.from({ length: 5000 }, (_, i) => ({
    a: i,
    b: ~i,
    c: i % 3 ? -1 - (i % 8) : i,
    d: i * 7919,
  }));
  keys.forEach((key, i) => table.put(key, i + 1, { high: i, low: ~i }, 0));
  assert.equal(table.count, keys.length);
  keys.forEach((key, i) => assert.equal(found(table, key)?.position, i + 1));
  const large = table.bytes;
  assert.ok(small < 50_000 && large > small);
  table.clear();
  assert.equal(table.bytes, large);
  assert.equal(found(table, keys[0]!), undefined);
});

test('it holds more than two million keys, and refuses more than that', () => {
  const table = new HotTable();
  const content = { high: 0, low: 0 };
  const put = (i: number) =>
    table.put({ a: i, b: 0, c: Math.imul(i, 0x9e3779b1), d: i << 11 }, i + 1, content, 0);
  for (let i = 0; i < 2 ** 21 - 1; i++) put(i);
  assert.equal(table.count, 2 ** 21 - 1);
  assert.throws(() => put(2 ** 21), RangeError);
  assert.equal(
    found(table, { a: 2 ** 21 - 2, b: 0, c: Math.imul(2 ** 21 - 2, 0x9e3779b1), d: (2 ** 21 - 2) << 11 })
      ?.position,
    2 ** 21 - 1,
  );
});
