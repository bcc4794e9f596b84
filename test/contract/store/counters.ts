import assert from 'node:assert/strict';
import type { Counters } from '../../../src/store/store.ts';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendOne, type StoreCase, toBatch } from './case.ts';

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
        const appended = store.append([toBatch(store, makeEvents(50, `${round % 4}-`), 1)]);
        const during = await store.counters();
        await appended;
        const after = await store.counters();
        for (const [earlier, later] of [
          [before, during],
          [during, after],
        ] as const) {
          assert.equal(later.received, later.unique_processed + later.duplicate_dropped);
          for (const name of Object.keys(later) as (keyof Counters)[])
            assert.ok(later[name] >= earlier[name], name);
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
      await store.append([toBatch(store, [], 5)]);
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
];
