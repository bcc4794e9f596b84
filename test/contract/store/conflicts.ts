import assert from 'node:assert/strict';
import { CONFLICT_PAYLOAD_BYTES_MAX, CONFLICTS_KEPT } from '../../../src/store/store-reader.ts';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendOne, type StoreCase } from './case.ts';

export const conflictCases: readonly StoreCase[] = [
  {
    name: 'the first event stays, the conflicting one is kept beside it, newest first',
    async run({ open }) {
      const store = await open();
      await appendOne(store, makeEvent({ payload: { n: 1 } }));
      await appendOne(store, makeEvent({ payload: { n: 2 }, source: 'second' }));
      await appendOne(store, makeEvent({ payload: { n: 3 } }), makeEvent({ topic: 'other' }));
      assert.equal((await store.eventAt(1))?.payload, '{"n":1}');
      const conflicts = await store.conflicts({ topic: 'orders', event_id: 'order-1', limit: 10 });
      assert.deepEqual(
        conflicts.map(({ number, payload, source }) => [number, payload, source]),
        [
          [2, '{"n":3}', 'shop'],
          [1, '{"n":2}', 'second'],
        ],
      );
      assert.deepEqual(await store.conflicts({ topic: 'other', limit: 10 }), []);
      assert.deepEqual(
        (await store.conflicts({ before: 2, limit: 10 })).map(({ number }) => number),
        [1],
      );
    },
  },
  {
    name: 'a payload too large to be kept is counted and listed without it',
    async run({ open }) {
      const store = await open();
      const large = makeEvent({ payload: { text: 'x'.repeat(CONFLICT_PAYLOAD_BYTES_MAX) } });
      await appendOne(store, makeEvent(), large);
      const [conflict] = await store.conflicts({ limit: 10 });
      assert.equal(conflict?.event_id, 'order-1');
      assert.equal(conflict?.payload, undefined);
    },
  },
  {
    name: 'only the newest conflicts are kept, all are counted',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(1000));
      const rounds = CONFLICTS_KEPT / 1000 + 1;
      for (let round = 0; round < rounds; round++) {
        await appendOne(store, ...makeEvents(1000).map((event) => ({ ...event, payload: { round } })));
      }
      assert.equal((await store.counters()).conflicts, CONFLICTS_KEPT + 1000);
      const kept = await store.conflicts({ limit: CONFLICTS_KEPT + 1000 });
      assert.equal(kept.length, CONFLICTS_KEPT);
      assert.equal(kept.at(-1)?.number, 1001);
    },
  },
];
