import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Event } from '../../event.ts';
import { KeyHasher, SECRET_BYTES } from '../dedup/key.ts';
import { EventPack } from '../event-pack.ts';
import { packEvent } from '../pack-event.ts';
import { Block, type BlockColumns, DirectoryWriter } from './block.ts';

type Stored = Omit<Event, 'content'>;

const HASHER = new KeyHasher(new Uint8Array(SECRET_BYTES));
const SEED = { high: 1, low: 2 };
const AT = 1_769_860_800_000_000;

/** The first and last of the years 0000 to 9999, and where numbers end and bigints begin. */
const INSTANTS = [
  -62_167_219_200_000_000n,
  253_402_300_799_999_999n,
  -9_007_199_254_000_000n,
  9_007_199_254_000_000n,
  -9_007_199_253_000_000,
  9_007_199_253_999_999,
  -1,
  0,
  -(2 ** 32),
  2 ** 32 - 1,
  AT,
];

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const sequence = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
const stored: fc.Arbitrary<Stored> = fc.record({
  topic: fc.constantFrom('a', 'b', 'c'),
  event_id: fc.oneof(name, fc.constant('🎉'.repeat(255))),
  timestamp: fc.oneof(fc.constantFrom(...INSTANTS), fc.integer()),
  source: fc.oneof(name, fc.constant('é'.repeat(255))),
  payload: fc.object().map((value) => JSON.stringify(value)),
  sequence: fc.option(sequence, { nil: undefined }),
});
const several = fc.array(stored, { minLength: 1, maxLength: 12 });

function packOf(events: readonly Stored[]): EventPack {
  const pack = new EventPack();
  for (const event of events) packEvent(pack, event, HASHER, SEED);
  return pack;
}

const TOPIC_IDS: Record<string, number> = { a: 7, b: 2 ** 31 - 1, c: 1 };

function columnsOf(events: readonly Stored[], firstPosition = 1): BlockColumns {
  const pack = packOf(events);
  const records = Buffer.from(pack.bytes.subarray(0, pack.bytesUsed));
  const listed = Int32Array.from(events, (_, i) => i);
  const topicIdOf = (i: number) => TOPIC_IDS[pack.topic(i)] ?? 0;
  const directory = new DirectoryWriter().write(pack, listed, events.length, topicIdOf, records, {
    firstPosition,
    processedAt: AT,
  });
  return { directory: Buffer.from(directory), records };
}

function assertEvent(block: Block, n: number, { topic, ...event }: Stored): void {
  assert.equal(block.topicId(n), TOPIC_IDS[topic]);
  assert.deepEqual(
    {
      event_id: block.eventId(n),
      timestamp: block.timestamp(n),
      source: block.source(n),
      payload: block.payload(n),
      sequence: block.sequence(n),
    },
    event,
  );
  assert.deepEqual(block.payloadBytes(n), Buffer.from(event.payload));
  const texts = [event.event_id, event.source, event.payload];
  assert.equal(block.recordBytes(n), Buffer.byteLength(texts.join('')));
}

test('the events of a block are those that were written, read in any order', () => {
  const order = fc.array(fc.nat({ max: 11 }), { maxLength: 20 });
  fc.assert(
    fc.property(several, fc.integer({ min: 1, max: 2 ** 48 }), order, (events, first, places) => {
      const block = new Block(first, AT, columnsOf(events, first));
      assert.deepEqual([block.length, block.firstPosition, block.processedAt], [events.length, first, AT]);
      for (const n of [...events.keys(), ...places.filter((place) => place < events.length)]) {
        assertEvent(block, n, events[n]!);
        assert.equal(block.position(n), first + n);
        assert.equal(block.indexOf(first + n), n);
      }
      assert.equal(block.indexOf(first - 1), -1);
      assert.equal(block.indexOf(first + events.length), -1);
    }),
    { numRuns: 500 },
  );
});

test('only some events of a pack, as when others of it are duplicates', () => {
  fc.assert(
    fc.property(several, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (events, keep) => {
      const pack = packOf(events);
      const kept = [...events.keys()].filter((i) => keep[i]);
      const records = Buffer.concat(
        kept.map((i) => Buffer.from([pack.eventId(i), pack.source(i), pack.payload(i)].join(''))),
      );
      const topicIdOf = (i: number) => TOPIC_IDS[pack.topic(i)] ?? 0;
      const directory = new DirectoryWriter().write(
        pack,
        Int32Array.from(kept),
        kept.length,
        topicIdOf,
        records,
        { firstPosition: 1, processedAt: AT },
      );
      const block = new Block(1, AT, { directory, records });
      assert.equal(block.length, kept.length);
      kept.forEach((i, n) => assertEvent(block, n, events[i]!));
    }),
  );
});

test('a writer that has written a larger block before leaves nothing of it in the next', () => {
  const writer = new DirectoryWriter();
  const event = { topic: 'a', event_id: '1', timestamp: AT, source: 's', payload: '{}' };
  for (const count of [5000, 1, 3]) {
    for (const sequence of [9, undefined]) {
      const pack = packOf(Array.from({ length: count }, () => ({ ...event, sequence })));
      const records = pack.bytes.subarray(0, pack.bytesUsed);
      const directory = writer.write(
        pack,
        Int32Array.from({ length: count }, (_, i) => i),
        count,
        () => 7,
        records,
        { firstPosition: 1, processedAt: AT },
      );
      const block = new Block(1, AT, { directory, records });
      assert.equal(block.length, count);
      assertEvent(block, count - 1, { ...event, sequence });
    }
  }
});

test('without some of its events a block keeps the others, at their positions', () => {
  const retired = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(
      several,
      retired,
      retired,
      fc.integer({ min: 1, max: 2 ** 48 }),
      (events, once, again, first) => {
        let block = new Block(first, AT, columnsOf(events, first));
        let left = [...events.keys()];
        for (const goes of [once, again]) {
          const rest = left.filter((i) => !goes[i]);
          const columns = block.without((n) => goes[block.position(n) - first] === true);
          assert.equal(columns === undefined, rest.length === 0);
          if (columns === undefined) return;
          assert.deepEqual(
            columns.left.map((n) => left[n]),
            rest,
          );
          block = new Block(first, AT, columns);
          left = rest;
          assert.equal(block.length, left.length);
          left.forEach((i, n) => {
            assertEvent(block, n, events[i]!);
            assert.equal(block.position(n), first + i);
          });
          for (const i of events.keys()) assert.equal(block.indexOf(first + i), left.indexOf(i));
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** Each part with something at each of its bytes changed, or cut off there. */
function* damaged({ directory, records }: BlockColumns): Generator<BlockColumns> {
  for (let at = 0; at < directory.length; at++) {
    yield { directory: changed(directory, at), records };
    yield { directory: directory.subarray(0, at), records };
  }
  for (let at = 0; at < records.length; at++) {
    yield { directory, records: changed(records, at) };
    yield { directory, records: records.subarray(0, at) };
  }
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
  return copy;
}

test('damage is found at whatever byte it is', () => {
  const events = fc.sample(stored, { numRuns: 4, seed: 1 });
  const whole = columnsOf([...events, { ...events[0]!, sequence: 3 }]);
  const holed = new Block(1, AT, whole).without((n) => n === 1);
  assert.ok(holed);
  for (const columns of [whole, holed]) {
    assert.doesNotThrow(() => new Block(1, AT, columns));
    assert.throws(() => new Block(2, AT, columns), { code: 'store_damaged' }, 'at another position');
    assert.throws(() => new Block(1, AT + 1, columns), { code: 'store_damaged' }, 'of another time');
    for (const broken of damaged(columns)) {
      assert.throws(() => new Block(1, AT, broken), { code: 'store_damaged' });
    }
  }
});
