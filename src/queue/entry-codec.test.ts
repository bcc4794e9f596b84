import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SekaliError } from '../errors.ts';
import type { Event } from '../event.ts';
import { KeyHasher } from '../store/dedup/key.ts';
import { EventPack } from '../store/event-pack.ts';
import { packEvent } from '../store/pack-event.ts';
import type { CommitGroup } from '../store/store.ts';
import { decodeEntry, encodeEntry, mergeEntries, openEntry } from './entry-codec.ts';

type Draft = Omit<Event, 'content'>;

const HASHER = new KeyHasher(new Uint8Array(16).fill(7));
const SEED = { high: 1, low: 2 };

const drafts: fc.Arbitrary<Draft[]> = fc.array(
  fc.record({
    topic: fc.constantFrom('orders', 'payments', 'größe', 'a/b'),
    event_id: fc.string({ minLength: 1, unit: 'grapheme' }),
    source: fc.string({ minLength: 1, unit: 'grapheme' }),
    timestamp: fc.integer({ min: -9_007_199_253_000_000, max: 9_007_199_253_000_000 }),
    payload: fc.json(),
    sequence: fc.option(fc.nat(), { nil: undefined }),
  }),
  { maxLength: 12 },
);
const entries = fc.array(
  fc.record({ drafts, rejected: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }) }),
  {
    minLength: 1,
    maxLength: 6,
  },
);

test('a group that is decoded again has the events it had, and the sum of what was rejected', () => {
  fc.assert(
    fc.property(entries, ([entry]) => {
      const group = toGroup(entry!);
      const decoded = decodeEntry(encodeEntry(group));
      assert.deepEqual(unpack(decoded.events), unpack(group.events));
      assert.equal(
        decoded.rejected,
        entry!.rejected.reduce((a, b) => a + b),
      );
    }),
  );
});

test('entries that are merged are as if they had been packed together', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const merged = mergeEntries(all.map((entry) => openEntry(encodeEntry(toGroup(entry)))));
      assert.deepEqual(unpack(merged.events), unpack(toPack(all.flatMap((entry) => entry.drafts))));
      let end = 0;
      const batches = all.map(({ drafts, rejected }) => {
        end += drafts.length;
        return { end, rejected: rejected.reduce((a, b) => a + b), wantFirstSeen: false };
      });
      assert.deepEqual(merged.batches, batches);
      assert.equal(new Set(merged.events.topics).size, merged.events.topics.length);
    }),
  );
});

test('a merged group takes no memory that it does not use, and can grow', () => {
  const entry = openEntry(encodeEntry(toGroup({ drafts: [draft()], rejected: [0] })));
  const { events } = mergeEntries([entry, entry]);
  assert.equal(events.bytes.length, events.bytesUsed);
  packEvent(events, draft(), HASHER, SEED);
  assert.equal(new Set(unpack(events).map((event) => JSON.stringify(event))).size, 1);
});

test('an entry can be read wherever in a buffer it begins', () => {
  const body = encodeEntry(toGroup({ drafts: [draft()], rejected: [3] }));
  const shifted = Buffer.concat([Buffer.alloc(3), body]).subarray(3);
  assert.deepEqual(unpack(decodeEntry(shifted).events), unpack(decodeEntry(body).events));
});

test('whatever byte is damaged, and wherever the end is missing, the entry is refused', () => {
  const body = encodeEntry(toGroup({ drafts: [draft(), draft()], rejected: [1] }));
  for (let at = 0; at < body.length; at++) {
    const damaged = Buffer.from(body);
    damaged[at]! ^= 1;
    assert.throws(() => openEntry(damaged), isRefusal);
    assert.throws(() => openEntry(body.subarray(0, at)), isRefusal);
  }
});

test('an entry of another version is refused by name', () => {
  const body = encodeEntry(toGroup({ drafts: [draft()], rejected: [0] }));
  body.writeUInt32LE(9, 4);
  assert.throws(() => openEntry(body), /version 9/);
});

function draft(): Draft {
  return { topic: 'orders', event_id: '1', source: 'shop', timestamp: 1, payload: '{"a":1}', sequence: 4 };
}

function toGroup({ drafts: events, rejected }: { drafts: Draft[]; rejected: number[] }): CommitGroup {
  const end = events.length;
  return {
    events: toPack(events),
    batches: rejected.map((count) => ({ end, rejected: count, wantFirstSeen: true })),
  };
}

function toPack(events: readonly Draft[]): EventPack {
  const pack = new EventPack();
  for (const event of events) packEvent(pack, event, HASHER, SEED);
  return pack;
}

function unpack(pack: EventPack): unknown[] {
  return Array.from({ length: pack.length }, (_, i) => {
    const key = { a: 0, b: 0, c: 0, d: 0 };
    pack.readKey(i, key);
    return { ...pack.event(i), key };
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof SekaliError && error.code === 'entry_refused';
}
