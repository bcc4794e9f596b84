import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '../../../test/support/make-events.ts';
import { inParallel, makeLoad } from './load.ts';

const lab = { event: (event_id: string) => makeEvent({ event_id }) };

describe('a load', () => {
  for (const [events, duplicates] of [
    [5000, 1000],
    [20_000, 7000],
    [100, 0],
    [7, 6],
  ] as const) {
    test(`of ${events} events has exactly ${duplicates} duplicates, each of an earlier event`, () => {
      const seen = new Set<string>();
      let repeated = 0;
      for (const { event_id } of makeLoad(lab, { events, duplicates, eventsPerRequest: 100 }).flat()) {
        if (seen.has(event_id)) repeated += 1;
        seen.add(event_id);
      }
      assert.deepEqual(
        { repeated, unique: seen.size },
        { repeated: duplicates, unique: events - duplicates },
      );
    });
  }

  test('is cut into requests, the last one with the rest', () => {
    const requests = makeLoad(lab, { events: 25, duplicates: 5, eventsPerRequest: 10 });
    assert.deepEqual(
      requests.map((events) => events.length),
      [10, 10, 5],
    );
  });
});

describe('work in parallel', () => {
  test('has so many items at a time and no more, and gives results in order', async () => {
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const finished = inParallel([...gates.entries()], 2, async ([index, { promise }]) => {
      started.push(index);
      await promise;
      return index * 10;
    });
    assert.deepEqual(started, [0, 1]);
    for (const { resolve } of gates.toReversed()) resolve();
    assert.deepEqual(await finished, [0, 10, 20, 30, 40, 50]);
    assert.deepEqual(started, [0, 1, 2, 3, 4, 5]);
  });

  test('fails when one item does', async () => {
    await assert.rejects(
      inParallel([1, 2, 3], 2, async (item) => {
        if (item === 2) throw new Error('no');
      }),
      /no/,
    );
  });
});
