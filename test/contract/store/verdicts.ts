import assert from 'node:assert/strict';
import { makeEvent } from '../../support/make-events.ts';
import { appendGroup, appendOne, type StoreCase, verdictsOf } from './case.ts';

export const verdictCases: readonly StoreCase[] = [
  {
    name: 'a new event is stored, the same one again is a duplicate, other content is a conflict',
    async run({ open }) {
      const store = await open();
      assert.deepEqual(await verdictsOf(store, makeEvent()), ['stored']);
      assert.deepEqual(await verdictsOf(store, makeEvent()), ['duplicate']);
      assert.deepEqual(await verdictsOf(store, makeEvent({ payload: { total: 1 } })), ['conflict']);
      assert.deepEqual(await verdictsOf(store, makeEvent()), ['duplicate']);
    },
  },
  {
    name: 'content is the payload alone: a retry with another timestamp, source or sequence is a duplicate',
    async run({ open }) {
      const store = await open();
      await appendOne(store, makeEvent());
      const retry = makeEvent({ timestamp: '2027-01-01T00:00:00Z', source: 'other', sequence: 7 });
      assert.deepEqual(await verdictsOf(store, retry), ['duplicate']);
    },
  },
  {
    name: 'within one batch the first of two equal events is stored and the second a duplicate',
    async run({ open }) {
      const store = await open();
      const other = makeEvent({ payload: { other: true } });
      assert.deepEqual(await verdictsOf(store, makeEvent(), makeEvent(), other), [
        'stored',
        'duplicate',
        'conflict',
      ]);
    },
  },
  {
    name: 'across the batches of one group the first is stored and the second a duplicate',
    async run({ open }) {
      const store = await open();
      const batch = { events: [makeEvent()] };
      const receipts = await appendGroup(store, batch, batch);
      assert.deepEqual(
        receipts.map(([receipt]) => receipt?.verdict),
        ['stored', 'duplicate'],
      );
    },
  },
  {
    name: 'a batch that mixes new, duplicate and conflicting events gets each verdict right, in order',
    async run({ open }) {
      const store = await open();
      await appendOne(store, makeEvent({ event_id: 'a' }), makeEvent({ event_id: 'b' }));
      const verdicts = await verdictsOf(
        store,
        makeEvent({ event_id: 'b', payload: { changed: true } }),
        makeEvent({ event_id: 'c' }),
        makeEvent({ event_id: 'a' }),
        makeEvent({ event_id: 'c' }),
        makeEvent({ event_id: 'd' }),
      );
      assert.deepEqual(verdicts, ['conflict', 'stored', 'duplicate', 'duplicate', 'stored']);
    },
  },
  {
    name: 'a batch of nothing but duplicates stores nothing',
    async run({ open }) {
      const store = await open();
      const events = ['a', 'b', 'c'].map((event_id) => makeEvent({ event_id }));
      await appendOne(store, ...events);
      assert.deepEqual(await verdictsOf(store, ...events), ['duplicate', 'duplicate', 'duplicate']);
      assert.equal(await store.lastPosition(), 3);
    },
  },
  {
    name: "a duplicate's and a conflict's receipt tell the position and the time of the first event",
    async run({ open }) {
      const store = await open();
      const [first] = await appendOne(store, makeEvent());
      const [again] = await appendOne(store, makeEvent());
      const [other] = await appendOne(store, makeEvent({ payload: {} }));
      assert.equal(again?.position, first?.position);
      assert.equal(other?.position, first?.position);
      assert.equal(again?.firstSeenAt, first?.firstSeenAt);
      assert.equal(other?.firstSeenAt, first?.firstSeenAt);
      assert.notEqual(first?.firstSeenAt, undefined);
    },
  },
  {
    name: 'the time of the first event is told to the batches that want it, and to no other',
    async run({ open }) {
      const store = await open();
      const [first] = await appendOne(store, makeEvent());
      const events = [makeEvent(), makeEvent({ event_id: 'new' }), makeEvent({ event_id: 'new' })];
      const groups = await appendGroup(
        store,
        { events, wantFirstSeen: false },
        { events },
        { events: [], rejected: 1 },
        { events, wantFirstSeen: false },
      );
      const [unasked, asked, empty, last] = groups;
      assert.deepEqual(
        unasked?.map(({ verdict }) => verdict),
        ['duplicate', 'stored', 'duplicate'],
      );
      const storedAt = unasked?.[1]?.firstSeenAt;
      assert.deepEqual(
        unasked?.map(({ firstSeenAt }) => firstSeenAt),
        [undefined, storedAt, undefined],
      );
      assert.deepEqual(
        asked?.map(({ firstSeenAt }) => firstSeenAt),
        [first?.firstSeenAt, storedAt, storedAt],
      );
      assert.deepEqual(empty, []);
      assert.deepEqual(
        last?.map(({ firstSeenAt }) => firstSeenAt),
        [undefined, undefined, undefined],
      );
    },
  },
  {
    name: 'positions rise by one from 1, duplicates and conflicts take none',
    async run({ open }) {
      const store = await open();
      const batch = [
        makeEvent({ event_id: 'a' }),
        makeEvent({ event_id: 'a' }),
        makeEvent({ event_id: 'b' }),
      ];
      assert.deepEqual(
        (await appendOne(store, ...batch)).map((receipt) => receipt.position),
        [1, 1, 2],
      );
      assert.deepEqual(
        (await appendOne(store, makeEvent({ event_id: 'c' }))).map((receipt) => receipt.position),
        [3],
      );
    },
  },
];
