import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Fingerprint } from '../../event.ts';
import type { Key } from './key.ts';
import type { KeyEntry, KeyIndex } from './key-index.ts';
import { addEntries, ENTRY_BYTES, KeyLogWriter } from './key-log.ts';

type Added = [key: Key, position: number, content: Fingerprint];

/** Tells what it was given. */
class RecordingIndex implements KeyIndex {
  readonly added: Added[] = [];
  readonly size = 0;
  readonly bytes = 0;

  find(): KeyEntry | undefined {
    return undefined;
  }

  add(key: Key, position: number, content: Fingerprint): void {
    this.added.push([{ ...key }, position, { ...content }]);
  }
}

/** As the log makes them, so that they can be compared. */
const PLAIN = { noNullPrototype: true };

const logged = fc.tuple(
  fc.record({ a: fc.integer(), b: fc.integer(), c: fc.integer(), d: fc.integer() }, PLAIN),
  fc.record({ high: fc.integer(), low: fc.integer() }, PLAIN),
);

function pack(writer: KeyLogWriter, entries: readonly [Key, Fingerprint][]): Uint8Array {
  for (const [key, content] of entries) writer.add(key, content);
  return writer.entries();
}

function unpack(firstPosition: number, entries: Uint8Array): { count: number; added: Added[] } {
  const index = new RecordingIndex();
  return { count: addEntries(index, firstPosition, entries), added: index.added };
}

test('entries come back as they were, at consecutive positions', () => {
  fc.assert(
    fc.property(fc.array(logged), fc.integer({ min: 1, max: 2 ** 40 }), (entries, first) => {
      const packed = pack(new KeyLogWriter(), entries);
      assert.equal(packed.length, entries.length * ENTRY_BYTES);
      assert.deepEqual(unpack(first, packed), {
        count: entries.length,
        added: entries.map(([key, content], i) => [key, first + i, content]),
      });
    }),
  );
});

test('a writer that has grown beyond its first size keeps all', () => {
  const entries = Array.from({ length: 5000 }, (_, i): [Key, Fingerprint] => [
    { a: i, b: ~i, c: i * 3, d: i * 7 },
    { high: i * 11, low: ~i },
  ]);
  const { added } = unpack(1, pack(new KeyLogWriter(), entries));
  assert.deepEqual(
    added.map(([key, , content]) => [key, content]),
    entries,
  );
});

test('a writer that is cleared begins anew', () => {
  const writer = new KeyLogWriter();
  assert.ok(writer.isEmpty);
  pack(writer, [
    [
      { a: 1, b: 2, c: 3, d: 4 },
      { high: 5, low: 6 },
    ],
  ]);
  assert.ok(!writer.isEmpty);
  writer.clear();
  assert.ok(writer.isEmpty);
  const packed = pack(writer, [
    [
      { a: 7, b: 8, c: 9, d: 10 },
      { high: 11, low: 12 },
    ],
  ]);
  assert.deepEqual(unpack(5, packed).added, [[{ a: 7, b: 8, c: 9, d: 10 }, 5, { high: 11, low: 12 }]]);
});

test('entries are read where they lie, at any offset of a larger array', () => {
  const packed = pack(new KeyLogWriter(), [
    [
      { a: 1, b: 2, c: 3, d: 4 },
      { high: 5, low: 6 },
    ],
  ]);
  const larger = Buffer.concat([Buffer.from([99]), packed, Buffer.from([99])]);
  assert.equal(unpack(1, larger.subarray(1, -1)).added[0]?.[0].a, 1);
});

test('an entry that is cut short shows in the count', () => {
  const packed = pack(new KeyLogWriter(), [
    [
      { a: 1, b: 2, c: 3, d: 4 },
      { high: 5, low: 6 },
    ],
    [
      { a: 1, b: 2, c: 3, d: 4 },
      { high: 5, low: 6 },
    ],
  ]);
  const { count, added } = unpack(1, packed.subarray(0, -1));
  assert.ok(!Number.isInteger(count));
  assert.equal(added.length, 1);
});
