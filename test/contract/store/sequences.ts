import assert from 'node:assert/strict';
import type { Store } from '../../../src/store/store.ts';
import type { SequencedEvent, SequenceQuery } from '../../../src/store/store-reader.ts';
import { makeEvent, makeEvents } from '../../support/make-events.ts';
import { appendOne, EVERYTHING, type StoreCase } from './case.ts';

type Filter = Pick<SequenceQuery, 'topic' | 'source'>;

/** All of them, page after page, each of which has to be of one piece with the one before. */
async function readAll(store: Store, limit: number, filter: Filter = {}): Promise<SequencedEvent[]> {
  const found: SequencedEvent[] = [];
  for (let after = 0; ; ) {
    const { events, through, isAtEnd } = await store.sequences({ ...filter, after, limit });
    assert.ok(events.length <= limit && through >= after, JSON.stringify({ after, through }));
    for (const { position } of events) {
      assert.ok(position > (found.at(-1)?.position ?? after) && position <= through, `${position}`);
    }
    found.push(...events);
    if (isAtEnd) return found;
    assert.ok(through > after, `nothing is gained at ${after}`);
    after = through;
  }
}

/** Nine events of two topics and two sources; every third has no sequence. */
async function nineEvents(store: Store): Promise<void> {
  const events = Array.from({ length: 9 }, (_, i) =>
    makeEvent({
      topic: i % 2 === 0 ? 'even' : 'odd',
      source: i < 4 ? 'early' : 'late',
      event_id: `e${i}`,
      ...(i % 3 !== 2 && { sequence: i * 10 }),
    }),
  );
  await appendOne(store, ...events);
}

const FILTERS: readonly [string, Filter, readonly number[]][] = [
  ['nothing', {}, [0, 10, 30, 40, 60, 70]],
  ['a topic', { topic: 'odd' }, [10, 30, 70]],
  ['a source', { source: 'late' }, [40, 60, 70]],
  ['a topic and a source', { topic: 'even', source: 'late' }, [40, 60]],
  ['a topic that there is not', { topic: 'none' }, []],
  ['a source that there is not', { topic: 'odd', source: 'none' }, []],
  ['a name that no store could have', { source: 'a\0' }, []],
];

export const sequenceCases: readonly StoreCase[] = [
  {
    name: 'events with a sequence are found by topic and source, in pages of any size',
    async run({ open }) {
      const store = await open();
      for (const [what, filter] of FILTERS) assert.deepEqual(await readAll(store, 10, filter), [], what);
      await nineEvents(store);
      for (const [what, filter, expected] of FILTERS) {
        for (const limit of [1, 2, 3, 1000]) {
          const found = (await readAll(store, limit, filter)).map(({ sequence }) => sequence);
          assert.deepEqual(found, expected, `${what}, ${limit} a page`);
        }
      }
    },
  },
  {
    name: 'an event with a sequence tells the same as the event itself',
    async run({ open }) {
      const store = await open();
      const event = makeEvent({ topic: 'Ünï', source: 'søurce', sequence: Number.MAX_SAFE_INTEGER });
      await appendOne(store, makeEvent(), event, { ...event, event_id: 'first', sequence: 0 });
      const { events } = await store.events({ ...EVERYTHING, topic: event.topic });
      assert.deepEqual(
        await readAll(store, 10),
        events.map(({ position, topic, source, sequence, processed_at }) => ({
          position,
          topic,
          source,
          sequence,
          processed_at,
        })),
      );
    },
  },
  {
    name: 'whoever goes on where the sequences ended finds what was stored since, however much has none',
    async run({ open }) {
      const store = await open();
      await appendOne(store, ...makeEvents(300), makeEvent({ topic: 'rare', sequence: 1 }));
      const first = await store.sequences({ after: 0, limit: 10 });
      assert.deepEqual(
        first.events.map(({ position }) => position),
        [301],
      );
      assert.deepEqual([first.through, first.isAtEnd], [301, true]);
      const none = await store.sequences({ after: first.through, limit: 10 });
      assert.deepEqual(none, { events: [], through: 301, isAtEnd: true });
      await appendOne(store, ...makeEvents(300, 'later-'));
      await appendOne(store, makeEvent({ topic: 'rare', event_id: 'second', sequence: 2 }));
      for (const topic of [undefined, 'rare']) {
        const more = await store.sequences({ topic, after: first.through, limit: 10 });
        assert.deepEqual(
          more.events.map(({ position, sequence }) => [position, sequence]),
          [[602, 2]],
        );
      }
    },
  },
];
