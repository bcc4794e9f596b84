import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Entry } from '../queue/queue.ts';
import { isSuspect, nextEntriesMax, toBundles } from './bundle.ts';

const SIZE = { eventsMax: 100, bytesMax: 1000 };

function entry(place: number, change: Partial<Entry> = {}): Entry {
  const body = Buffer.alloc(10);
  return {
    place: String(place),
    id: new Uint8Array(16),
    attempts: 1,
    epoch: 'e',
    events: 1,
    body,
    ...change,
  };
}

function places(bundles: Entry[][]): string[] {
  return bundles.map((bundle) => bundle.map(({ place }) => place).join(' '));
}

test('fresh entries of one epoch share bundles, in their order', () => {
  const entries = [1, 2, 3, 4, 5].map((place) => entry(place, { events: 40, epoch: place < 4 ? 'e' : 'f' }));
  assert.deepEqual(places(toBundles(entries, SIZE)), ['1 2', '3', '4 5']);
});

test('suspects come last and alone, at even attempts the last one first', () => {
  const at = (attempts: number) => [1, 2, 3].map((place) => entry(place, { attempts }));
  assert.deepEqual(places(toBundles(at(2), SIZE)), ['1 2 3']);
  assert.deepEqual(places(toBundles(at(3), SIZE)), ['1', '2', '3']);
  assert.deepEqual(places(toBundles(at(4), SIZE)), ['3', '2', '1']);
  assert.deepEqual(places(toBundles([...at(5), entry(7), entry(8, { attempts: 3 })], SIZE)), [
    '7',
    '8',
    '1',
    '2',
    '3',
  ]);
});

const anyEntries = fc
  .array(
    fc.record({
      events: fc.integer({ min: 0, max: 200 }),
      bytes: fc.integer({ min: 0, max: 2000 }),
      attempts: fc.integer({ min: 1, max: 6 }),
      epoch: fc.constantFrom('e', 'f'),
    }),
    { maxLength: 40 },
  )
  .map((drafts) => drafts.map(({ bytes, ...each }, i) => entry(i, { ...each, body: Buffer.alloc(bytes) })));

test('every entry is in one bundle, and every bundle keeps the rules', () => {
  fc.assert(
    fc.property(anyEntries, (entries) => {
      const bundles = toBundles(entries, SIZE);
      assert.deepEqual(new Set(bundles.flat()), new Set(entries));
      assert.equal(bundles.flat().length, entries.length);
      for (const bundle of bundles) {
        assert.equal(new Set(bundle.map(({ epoch }) => epoch)).size, 1);
        if (bundle.length === 1) continue;
        assert.ok(!bundle.some(isSuspect));
        assert.ok(bundle.reduce((sum, { events }) => sum + events, 0) <= SIZE.eventsMax);
        assert.ok(bundle.reduce((sum, { body }) => sum + body.length, 0) <= SIZE.bytesMax);
      }
    }),
  );
});

test('entries that are no measure do not spoil the next claims', () => {
  for (const events of [0, Number.NaN]) {
    const claimed = [entry(1, { events, body: Buffer.alloc(0) }), entry(2, { events: 1 })];
    assert.equal(nextEntriesMax(4, claimed, SIZE), 8);
  }
});

test('a claim asks for at least one entry, and for at most twice as many as the one before', () => {
  fc.assert(
    fc.property(anyEntries, fc.integer({ min: 1, max: 32 }), (entries, now) => {
      const next = nextEntriesMax(now, entries, SIZE);
      assert.ok(Number.isInteger(next) && next >= 1 && next <= Math.min(32, 2 * now), String(next));
    }),
  );
});
