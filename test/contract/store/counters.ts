import assert from 'node:assert/strict';
import type { Counters } from '../../../src/store/store-reader.ts';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendGroup, appendOne, EVERYTHING, type StoreCase } from './case.ts';

const RISING = [
  'received',
  'unique_processed',
  'duplicate_dropped',
  'conflicts',
  'rejected',
  'dead_lettered',
] as const satisfies readonly (keyof Counters)[];

export const counterCases: readonly StoreCase[] = [
  {
    name: 'a store that holds nothing counts nothing',
    async run({ open }) {
      const store = await open();
      assert.deepEqual(await store.counters(), {
        received: 0,
        unique_processed: 0,
        duplicate_dropped: 0,
        conflicts: 0,
        rejected: 0,
        dead_lettered: 0,
        consumed: {},
      });
      assert.equal(await store.lastPosition(), 0);
    },
  },
  {
    name: 'received = unique_processed + duplicate_dropped at every read, and no counter goes back',
    async run({ open }) {
      const store = await open();
      let before: Counters = await store.counters();
      for (let round = 0; round < 20; round++) {
        const appended = appendGroup(store, { events: makeEvents(50, `${round % 4}-`), rejected: 1 });
        const during = await store.counters();
        await appended;
        const after = await store.counters();
        for (const [earlier, later] of [
          [before, during],
          [during, after],
        ] as const) {
          assert.equal(later.received, later.unique_processed + later.duplicate_dropped);
          for (const name of RISING) assert.ok(later[name] >= earlier[name], name);
        }
        before = after;
      }
      assert.equal(before.received, 1000);
      assert.equal(before.unique_processed, 200);
      assert.equal(before.rejected, 20);
    },
  },
  {
    name: 'a group without a valid event still counts what was rejected',
    async run({ open }) {
      const store = await open();
      await appendGroup(store, { events: [], rejected: 5 });
      assert.equal((await store.counters()).rejected, 5);
    },
  },
  {
    name: 'topics are counted apart, with their first and last position',
    async run({ open }) {
      const store = await open();
      await appendOne(
        store,
        makeEvent({ topic: 'b', event_id: '1' }),
        makeEvent({ topic: 'a', event_id: '1' }),
      );
      await appendOne(
        store,
        makeEvent({ topic: 'b', event_id: '2' }),
        makeEvent({ topic: 'b', event_id: '1' }),
        makeEvent({ topic: 'a', event_id: '1', payload: {} }),
      );
      const topics = await store.topics({ after: undefined, limit: 10 });
      assert.deepEqual(
        topics.map(({ topic, events, duplicates, conflicts, first_position, last_position }) => [
          topic,
          events,
          duplicates,
          conflicts,
          first_position,
          last_position,
        ]),
        [
          ['a', 1, 0, 1, 2, 2],
          ['b', 2, 1, 0, 1, 3],
        ],
      );
      assert.deepEqual(
        (await store.topics({ after: 'a', limit: 10 })).map(({ topic }) => topic),
        ['b'],
      );
    },
  },
  {
    name: 'a group of very many topics, each of which comes back soon, is counted topic by topic',
    async run({ open }) {
      const store = await open();
      const topics = Array.from({ length: 5000 }, (_, i) => `topic-${i}`);
      const sent = topics.flatMap((topic, i) => [topic, topics[Math.max(0, i - 1)] ?? topic]);
      await appendOne(store, ...sent.map((topic, i) => makeEvent({ topic, event_id: String(i) })));
      // What a store may note some groups later, it has noted now.
      await appendOne(store, ...makeEvents(400, '', { topic: 'large', payload: { text: 'x'.repeat(9000) } }));
      sent.push(...Array<string>(400).fill('large'));
      const found = await store.topics({ after: undefined, limit: 10_000 });
      const expected = Map.groupBy(sent, (topic) => topic);
      assert.deepEqual(
        new Map(found.map(({ topic, events }) => [topic, events])),
        new Map([...expected].sort(byName).map(([topic, { length }]) => [topic, length])),
      );
      assert.equal((await store.events({ ...EVERYTHING, topic: 'topic-4095' })).events.length, 2);
    },
  },
];

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
