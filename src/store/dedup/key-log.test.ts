import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CONTENT_HIGH, CONTENT_LOW, EVENT_WORDS, EventPack, KEY } from '../event-pack.ts';
import { countEntries, ENTRY_BYTES, KeyLogWriter, type LoggedKey, readEntries } from './key-log.ts';

type Entry = Pick<LoggedKey, 'key' | 'content' | 'windowClass'>;

/** As the log makes them, so that they can be compared. */
const PLAIN = { noNullPrototype: true };

const logged: fc.Arbitrary<Entry> = fc.record(
  {
    key: fc.record({ a: fc.integer(), b: fc.integer(), c: fc.integer(), d: fc.integer() }, PLAIN),
    content: fc.record({ high: fc.integer(), low: fc.integer() }, PLAIN),
    windowClass: fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })),
  },
  PLAIN,
);

function entryOf(number: number, windowClass = 0): Entry {
  const key = { a: number, b: ~number, c: number * 3, d: number * 7 };
  return { key, content: { high: number * 11, low: ~number }, windowClass };
}

/** A pack whose events have these keys and contents, and nothing else. */
function packOf(entries: readonly Entry[]): EventPack {
  const pack = new EventPack({
    bytes: new ArrayBuffer(0),
    words: new ArrayBuffer(entries.length * EVENT_WORDS * 4),
  });
  entries.forEach(({ key: { a, b, c, d }, content: { high, low } }, i) => {
    pack.words.set([a, b, c, d], i * EVENT_WORDS + KEY);
    pack.words[i * EVENT_WORDS + CONTENT_HIGH] = high;
    pack.words[i * EVENT_WORDS + CONTENT_LOW] = low;
  });
  pack.length = entries.length;
  return pack;
}

function write(writer: KeyLogWriter, entries: readonly Entry[]): void {
  const pack = packOf(entries);
  entries.forEach(({ windowClass }, i) => writer.add(pack, i, windowClass));
}

function written(entries: readonly Entry[]): { entries: Uint8Array; classes: Uint8Array | null } {
  const writer = new KeyLogWriter();
  write(writer, entries);
  return { entries: writer.entries(), classes: writer.classes() };
}

/** Each entry is valid until the next one only. */
function read(firstPosition: number, entries: Uint8Array, classes: Uint8Array | null): LoggedKey[] {
  return Array.from(readEntries(firstPosition, entries, classes), (entry) => structuredClone(entry));
}

test('entries come back as they were, at consecutive positions', () => {
  fc.assert(
    fc.property(fc.array(logged), fc.integer({ min: 1, max: 2 ** 40 }), (entries, first) => {
      const row = written(entries);
      assert.equal(row.entries.length, entries.length * ENTRY_BYTES);
      assert.equal(countEntries(row.entries, row.classes), entries.length);
      assert.deepEqual(
        read(first, row.entries, row.classes),
        entries.map((entry, i) => ({ ...entry, position: first + i })),
      );
    }),
  );
});

test('classes are written only where there is one that is not 0', () => {
  assert.equal(written([entryOf(1), entryOf(2)]).classes, null);
  assert.deepEqual(written([entryOf(1), entryOf(2, 0xff01)]).classes, Uint8Array.of(0, 0, 0x01, 0xff));
});

test('a writer that has grown beyond its first size keeps all', () => {
  const entries = Array.from({ length: 5000 }, (_, i) => entryOf(i, i % 3));
  const row = written(entries);
  assert.deepEqual(
    read(1, row.entries, row.classes),
    entries.map((entry, i) => ({ ...entry, position: i + 1 })),
  );
});

test('a writer that is cleared begins anew, without the classes of before', () => {
  const writer = new KeyLogWriter();
  assert.ok(writer.isEmpty);
  write(writer, [entryOf(1, 9), entryOf(2, 9)]);
  assert.ok(!writer.isEmpty);
  writer.clear();
  assert.ok(writer.isEmpty);
  write(writer, [entryOf(3)]);
  assert.equal(writer.classes(), null);
  assert.deepEqual(read(5, writer.entries(), null), [{ ...entryOf(3), position: 5 }]);
});

test('entries are read where they lie, at any offset of a larger array', () => {
  const row = written([entryOf(1, 2)]);
  assert.deepEqual(read(1, within(row.entries), within(row.classes!)), [{ ...entryOf(1, 2), position: 1 }]);
});

/** The same bytes, at an odd offset of a larger array. */
function within(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([99]), bytes, Buffer.from([99])]).subarray(1, -1);
}

test('a row that is cut short, or whose columns do not fit, has no entries', () => {
  const row = written([entryOf(1, 1), entryOf(2, 1)]);
  const broken: [Uint8Array, Uint8Array | null][] = [
    [row.entries.subarray(0, -1), null],
    [row.entries.subarray(0, -1), row.classes],
    [row.entries, row.classes!.subarray(0, -1)],
    [row.entries, row.classes!.subarray(0, 2)],
    [row.entries.subarray(0, ENTRY_BYTES), row.classes],
  ];
  for (const [entries, classes] of broken) {
    assert.equal(countEntries(entries, classes), undefined);
    assert.deepEqual(read(1, entries, classes), []);
  }
});
