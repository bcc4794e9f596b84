import assert from 'node:assert/strict';
import { formatInstant, parseInstant } from '../../../src/instant.ts';
import type { Store } from '../../../src/store/store.ts';
import type { EventQuery } from '../../../src/store/store-reader.ts';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendOne, EVERYTHING, type StoreCase } from './case.ts';

async function positions(store: Store, query: Partial<EventQuery>): Promise<number[]> {
  const { events } = await store.events({ ...EVERYTHING, ...query });
  return events.map((event) => event.position);
}

/** What the pages have together, as many as there are. */
async function pageByPage(
  store: Store,
  query: Partial<EventQuery>,
): Promise<{ seen: number[]; pages: number }> {
  const seen: number[] = [];
  let ask = query;
  for (let pages = 1; ; pages++) {
    const page = await store.events({ ...EVERYTHING, ...ask });
    seen.push(...page.events.map((event) => event.position));
    if (page.next === undefined) return { seen, pages };
    ask = { ...query, offset: 0, [query.order === 'desc' ? 'before' : 'after']: page.next };
  }
}

/** Six events: two topics, two sources, an hour apart. */
async function sixEvents(store: Store): Promise<void> {
  const events = Array.from({ length: 6 }, (_, i) =>
    makeEvent({
      topic: i % 2 === 0 ? 'even' : 'odd',
      source: i < 3 ? 'early' : 'late',
      event_id: `e${i}`,
      timestamp: `2026-01-31T1${i}:00:00Z`,
    }),
  );
  await appendOne(store, ...events);
}

const FILTERS: readonly [string, Partial<EventQuery>, readonly number[]][] = [
  ['nothing', {}, [1, 2, 3, 4, 5, 6]],
  ['a topic', { topic: 'odd' }, [2, 4, 6]],
  ['a topic that there is not', { topic: 'none' }, []],
  ['a source', { source: 'late' }, [4, 5, 6]],
  ['topics by a pattern', { patterns: ['*'] }, [1, 2, 3, 4, 5, 6]],
  ['topics by patterns', { patterns: ['none.>', 'odd', 'e.*'] }, [2, 4, 6]],
  ['topics by a pattern that none matches', { patterns: ['*.*'] }, []],
  ['topics by a pattern, and a source', { patterns: ['>'], source: 'late' }, [4, 5, 6]],
  ['a topic and a source', { topic: 'even', source: 'late' }, [5]],
  ['a time from', { from: parseInstant('2026-01-31T13:00:00Z') }, [4, 5, 6]],
  ['a time to, which is not part of it', { to: parseInstant('2026-01-31T13:00:00Z') }, [1, 2, 3]],
  ['after a position', { after: 4 }, [5, 6]],
  ['before a position', { before: 3 }, [1, 2]],
  ['between positions', { after: 2, before: 5 }, [3, 4]],
  ['after the last position', { after: 6 }, []],
  ['descending order', { order: 'desc' }, [6, 5, 4, 3, 2, 1]],
  ['descending order with a topic before a position', { order: 'desc', topic: 'even', before: 5 }, [3, 1]],
  ['an offset', { offset: 4 }, [5, 6]],
  ['an offset with a filter', { offset: 1, source: 'late' }, [5, 6]],
  ['an offset beyond the end', { offset: 7 }, []],
];

export const readingCases: readonly StoreCase[] = [
  ...FILTERS.map(
    ([what, query, expected]): StoreCase => ({
      name: `events are found by: ${what}`,
      async run({ open }) {
        const store = await open();
        await sixEvents(store);
        assert.deepEqual(await positions(store, query), expected);
      },
    }),
  ),
  {
    name: 'pages follow one another without a gap or a repeat, in both orders',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(25));
      for (const order of ['asc', 'desc'] as const) {
        const seen: number[] = [];
        let cursor: number | undefined;
        do {
          const where = order === 'asc' ? { after: cursor } : { before: cursor };
          const page = await store.events({ order, offset: 0, limit: 10, ...where });
          seen.push(...page.events.map((event) => event.position));
          cursor = page.next;
        } while (cursor !== undefined);
        const all = Array.from({ length: 25 }, (_, i) => i + 1);
        assert.deepEqual(seen, order === 'asc' ? all : all.reverse());
      }
    },
  },
  {
    name: 'a page that has looked at enough ends, empty or not, and its cursor goes on where it stopped',
    async run({ open }) {
      const store = await open();
      for (let group = 0; group < 10; group++) {
        const events = Array.from({ length: 20 }, (_, i) =>
          makeEvent({
            topic: i % 2 === 0 ? 'even' : 'odd',
            source: group === 4 && i < 4 ? 'rare' : 'common',
            event_id: `${group}-${i}`,
            timestamp: `2026-01-31T1${group}:00:00Z`,
          }),
        );
        await appendOne(store, ...events);
      }
      const queries: Partial<EventQuery>[] = [
        { source: 'rare' },
        { source: 'none' },
        { topic: 'odd', source: 'rare' },
        { patterns: ['*.*', 'od'], source: 'rare' },
        { patterns: ['odd'] },
        { from: parseInstant('2026-01-31T19:00:00Z') },
        { to: parseInstant('2026-01-31T11:00:00Z'), topic: 'even' },
        { source: 'rare', offset: 3 },
        { source: 'none', offset: 1 },
      ];
      for (const order of ['asc', 'desc'] as const) {
        for (const query of queries) {
          const expected = await positions(store, { ...query, order, lookMax: 1000 });
          for (const limit of [1, 1000]) {
            const found = await pageByPage(store, { ...query, order, limit, lookMax: 7 });
            assert.deepEqual(found.seen, expected, JSON.stringify({ query, order, limit }));
          }
        }
        const { pages } = await pageByPage(store, { source: 'none', order, lookMax: 7 });
        assert.ok(pages >= 10, `all was looked at for ${pages} pages`);
        // What is passed over is not looked at: a page behind it is a whole one.
        const all = await positions(store, { order });
        const behind = await positions(store, { order, offset: 50, limit: 25, lookMax: 30 });
        assert.deepEqual(behind, all.slice(50, 75));
      }
    },
  },
  {
    name: 'a page that ends with the last event has no next one',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(3));
      assert.equal((await store.events({ ...EVERYTHING, limit: 3 })).next, undefined);
      assert.equal((await store.events({ ...EVERYTHING, limit: 2 })).next, 2);
    },
  },
  {
    name: 'an event comes back as it was sent',
    async run({ open }) {
      const store = await open();
      const event = makeEvent({
        topic: 'Ünï',
        event_id: '𝒊𝒅',
        source: 'søurce',
        sequence: 42,
        payload: { ü: '😀\u0000' },
      });
      await appendOne(store, event);
      const stored = await store.eventAt(1);
      assert.equal(stored?.topic, event.topic);
      assert.equal(stored?.event_id, event.event_id);
      assert.equal(stored?.source, event.source);
      assert.equal(stored?.sequence, 42);
      assert.equal(stored?.payload, JSON.stringify(event.payload));
      assert.equal(await store.eventAt(2), undefined);
    },
  },
  {
    name: 'timestamps of the far past and future come back to the microsecond, and order nothing',
    async run({ open }) {
      const store = await open();
      const timestamps = [
        '9999-12-31T23:59:59.999999Z',
        '0001-01-01T00:00:00.000000Z',
        '1969-12-31T23:59:59.999999Z',
        '1600-02-29T12:00:00.123456Z',
      ];
      await appendOne(store, ...timestamps.map((timestamp) => makeEvent({ event_id: timestamp, timestamp })));
      const { events } = await store.events(EVERYTHING);
      assert.deepEqual(
        events.map((event) => formatInstant(event.timestamp)),
        timestamps,
      );
      assert.deepEqual(await positions(store, { from: parseInstant('1970-01-01T00:00:00Z') }), [1]);
      assert.deepEqual(await positions(store, { to: parseInstant('1600-02-29T12:00:00.123456Z') }), [2]);
    },
  },
  {
    name: 'events are read at many positions at once, in the order that was asked for',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(400));
      await appendOne(store, ...makeEvents(10, 'later-'));
      const asked = [410, 1, 411, 7, 7, 0, 400, 401, 2 ** 50];
      const found = await store.eventsAt(asked);
      assert.deepEqual(found, await Promise.all(asked.map((position) => store.eventAt(position))));
      assert.deepEqual(
        found.map((event) => event?.position),
        [410, 1, undefined, 7, 7, undefined, 400, 401, undefined],
      );
      assert.deepEqual(await store.eventsAt([]), []);
      const all = Array.from({ length: 410 }, (_, i) => i + 1);
      assert.deepEqual(
        (await store.eventsAt(all)).map((event) => event?.position),
        all,
      );
    },
  },
  {
    name: 'events that match are counted, above a position, as they are found',
    async run({ open }) {
      const store = await open();
      assert.equal(await store.countEvents({}), 0);
      // Many blocks, of which several hold each topic.
      for (let group = 0; group < 4; group++) {
        const events = Array.from({ length: 250 }, (_, i) =>
          makeEvent({ topic: `t.${i % 3}`, event_id: `${group}-${i}` }),
        );
        await appendOne(store, ...events, makeEvent({ topic: 'rare', event_id: `${group}` }));
      }
      const queries: Partial<EventQuery>[] = [
        {},
        { topic: 't.1' },
        { topic: 'rare' },
        { topic: 'none' },
        { patterns: ['t.*'] },
        { patterns: ['t.2', 'rare'] },
        { patterns: ['none.>'] },
      ];
      for (const query of queries) {
        const found: number[] = [];
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page = await store.events({ ...EVERYTHING, ...query, after });
          found.push(...page.events.map((event) => event.position));
          after = page.next;
        }
        for (const after of [undefined, 0, 1, 57, 58, 250, 251, 252, 600, 1003, 1004, 2000]) {
          const expected = found.filter((position) => position > (after ?? 0)).length;
          assert.equal(
            await store.countEvents({ ...query, after }),
            expected,
            JSON.stringify({ query, after }),
          );
        }
      }
    },
  },
  {
    name: 'the position before a time is the highest that was stored before it',
    async run({ open }) {
      const store = await open();
      assert.equal(await store.positionBefore(Date.now() + 86_400_000), 0);
      const stored: { position: number; ms: number }[] = [];
      const isSpread = () => new Set(stored.map(({ ms }) => Math.floor(ms))).size >= 4;
      for (let n = 0; !isSpread(); n++) {
        const [last] = (await appendOne(store, ...makeEvents(3, `${n}-`))).slice(-1);
        const event = await store.eventAt(last!.position);
        stored.push({ position: last!.position, ms: Number(event!.processed_at) / 1000 });
      }
      const times = stored.flatMap(({ ms }) => [Math.floor(ms), Math.floor(ms) + 1]);
      for (const timeMs of [0, ...times, times.at(-1)! + 3_600_000]) {
        const expected = stored.findLast(({ ms }) => ms < timeMs)?.position ?? 0;
        assert.equal(await store.positionBefore(timeMs), expected, `${timeMs}`);
      }
    },
  },
];
