import assert from 'node:assert/strict';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendGroup, appendOne, EVERYTHING, type StoreCase, verdictsOf } from './case.ts';

export const durabilityCases: readonly StoreCase[] = [
  {
    name: 'what append has resolved for is there after a crash',
    async run({ open, crash }) {
      const store = await open();
      await appendOne(store, makeEvent({ event_id: 'a' }));
      await appendOne(store, makeEvent({ event_id: 'b' }));
      await crash(store);
      const again = await open();
      const { events } = await again.events(EVERYTHING);
      assert.deepEqual(
        events.map((event) => event.event_id),
        ['a', 'b'],
      );
    },
  },
  {
    name: 'verdicts are the same after a restart and after a crash',
    async run({ open, crash }) {
      let store = await open();
      const [first] = await appendOne(store, makeEvent());
      for (const end of [() => store.close(), () => crash(store)]) {
        await end();
        store = await open();
        const [again] = await appendOne(store, makeEvent());
        assert.deepEqual(again, { ...first, verdict: 'duplicate' });
        assert.deepEqual(await verdictsOf(store, makeEvent({ payload: { changed: 1 } })), ['conflict']);
      }
    },
  },
  {
    name: 'counters are those of the events after a crash',
    async run({ open, crash }) {
      const store = await open();
      await appendGroup(store, { events: makeEvents(10), rejected: 3 });
      await appendOne(store, ...makeEvents(4), makeEvent({ event_id: 'event-0', payload: { i: -1 } }));
      const before = await store.counters();
      assert.deepEqual(before, {
        received: 15,
        unique_processed: 10,
        duplicate_dropped: 5,
        conflicts: 1,
        rejected: 3,
        dead_lettered: 0,
        consumed: {},
      });
      await crash(store);
      const again = await open();
      assert.deepEqual(await again.counters(), before);
      const [topic] = await again.topics({ after: undefined, limit: 10 });
      assert.deepEqual([topic?.events, topic?.duplicates, topic?.conflicts], [10, 4, 1]);
    },
  },
  {
    name: 'positions go on where they were after a crash',
    async run({ open, crash }) {
      const store = await open();
      await appendOne(store, ...makeEvents(3));
      await crash(store);
      const [receipt] = await appendOne(await open(), makeEvent());
      assert.equal(receipt?.position, 4);
    },
  },
  {
    name: 'conflicts are still there after a restart',
    async run({ open }) {
      const store = await open();
      await appendOne(store, makeEvent(), makeEvent({ payload: { other: 1 } }));
      await store.close();
      const again = await open();
      const [conflict] = await again.conflicts({ limit: 10 });
      assert.equal(conflict?.payload, '{"other":1}');
      assert.equal(conflict?.position, 1);
    },
  },
];
