import assert from 'node:assert/strict';
import { BatchDecoder } from '../../../src/ingest/decode.ts';
import { parseInstant } from '../../../src/instant.ts';
import { EventPack } from '../../../src/store/event-pack.ts';
import { printEvent } from '../../../src/store/print-event.ts';
import type { Store } from '../../../src/store/store.ts';
import type { EventQuery, PrintedPage } from '../../../src/store/store-reader.ts';
import { makeEvents } from '../../support/make-events.ts';
import { appendOne, EVERYTHING, LIMITS, type StoreCase } from './case.ts';

/** Texts that JSON has to escape, that are long, that are more than a byte a character, and that are none of it. */
const NAMES = [
  'plain',
  'a "quoted" \\ name',
  'søurce',
  '𝒊𝒅 😀',
  'x'.repeat(255),
  '€'.repeat(255),
  '"'.repeat(255),
];

const PAYLOADS = [
  '{}',
  '{"a":1.0,"b":12345678901234567890}',
  '{\n\t"on":\r\n "lines"}',
  '{"ü":"😀\\u0000"}',
  '{"t":"€"}',
];

const TIMES = ['0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999999Z', '2026-01-31T12:00:00.5Z'];

const SEQUENCES = [0, 9, 10, Number.MAX_SAFE_INTEGER];

async function appendStrange(store: Store): Promise<void> {
  const texts = NAMES.flatMap((name, i) => PAYLOADS.map((payload, j) => spell(name, payload, i, j)));
  const events = new EventPack();
  const { rejected } = new BatchDecoder(LIMITS, store.secrets).decode(
    Buffer.from(`[${texts.join(',')}]`),
    'json',
    events,
  );
  assert.deepEqual(rejected, []);
  await store.append({ events, batches: [{ end: events.length, rejected: 0, wantFirstSeen: false }] });
}

/** As text, for a payload is stored as it was spelled. */
function spell(name: string, payload: string, i: number, j: number): string {
  const sequence = j % 2 === 0 ? `"sequence":${SEQUENCES[i % SEQUENCES.length]},` : '';
  const names = {
    topic: NAMES[(i + j) % NAMES.length],
    event_id: `${[...name].slice(0, 254).join('')}${j}`,
    source: NAMES[(i * j) % NAMES.length],
    timestamp: TIMES[j % TIMES.length],
  };
  return `${JSON.stringify(names).slice(0, -1)},${sequence}"payload":${payload}}`;
}

async function assertSamePage(store: Store, query: EventQuery): Promise<void> {
  const { events, next } = await store.events(query);
  const lines = events.map((event) => `${printEvent(event).replace(/[\r\n]/g, ' ')}\n`);
  const page = await store.printed({ ...query, printing: 'lines' });
  assert.deepEqual(textsOf(page), lines);
  assert.deepEqual(
    [...page.positions],
    events.map(({ position }) => position),
  );
  assert.deepEqual(
    [...page.topicOf].map((number) => page.topics[number]),
    events.map(({ topic }) => topic),
  );
  assert.deepEqual(
    sourcesOf(page),
    events.map(({ source }) => source),
  );
  assert.equal(page.next, next);
  const items = await store.printed({ ...query, printing: 'items' });
  assert.deepEqual(
    textsOf(items),
    events.map((event) => `${printEvent(event)},`),
  );
  const frames = await store.printed({ ...query, printing: 'frames' });
  assert.deepEqual(
    textsOf(frames),
    events.map(({ position }, n) => `id: ${position}\ndata: ${lines[n]}\n`),
  );
  assert.deepEqual(
    sourcesOf(frames),
    events.map(({ source }) => source),
  );
}

function textsOf({ text, ends }: PrintedPage): string[] {
  const bytes = Buffer.from(text);
  assert.equal(bytes.length, ends.at(-1) ?? 0);
  return [...ends].map((end, n) => bytes.toString('utf8', n === 0 ? 0 : ends[n - 1], end));
}

function sourcesOf({ text, sources, positions }: PrintedPage): unknown[] {
  const bytes = Buffer.from(text);
  return [...positions].map((_, n) => JSON.parse(bytes.toString('utf8', sources[2 * n], sources[2 * n + 1])));
}

export const printingCases: readonly StoreCase[] = [
  {
    name: 'a printed page has the events of the page, whatever is in them',
    async run({ open }) {
      const store = await open();
      await appendStrange(store);
      for (const order of ['asc', 'desc'] as const) {
        await assertSamePage(store, { ...EVERYTHING, order });
        await assertSamePage(store, { ...EVERYTHING, order, topic: NAMES[1], limit: 3 });
        await assertSamePage(store, { ...EVERYTHING, order, source: NAMES[3], offset: 1 });
        await assertSamePage(store, { ...EVERYTHING, order, to: parseInstant('2000-01-01T00:00:00Z') });
      }
    },
  },
  {
    name: 'a printed page ends soon after the length that is asked for, and the next one goes on behind it',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(60, 'event-', { payload: { text: 'x'.repeat(1000) } }));
      const seen: number[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const query = { ...EVERYTHING, after, lengthMax: 5000, printing: 'lines' } as const;
        const { positions, next } = await store.printed(query);
        assert.ok(positions.length <= 5, `${positions.length} events`);
        seen.push(...positions);
        after = next;
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 60 }, (_, i) => i + 1),
      );
    },
  },
  {
    name: 'printed pages follow one another, and the one behind the last event is empty',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(25));
      for (const after of [0, 10, 20, 25]) {
        await assertSamePage(store, { order: 'asc', offset: 0, limit: 10, after });
      }
    },
  },
];
