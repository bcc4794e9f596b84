import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane } from './lane.ts';
import { Publisher } from './publisher.ts';

const PLAN = {
  url: 'http://localhost',
  events: 1000,
  batch: 10,
  connections: 2,
  first: 0,
  duplicates: 0,
  seed: 1,
};

/** Answers after so many milliseconds. */
function slowLane(delayMs: number): Lane {
  return {
    send(numbers, onAnswer) {
      for (let i = 0; i < PLAN.batch; i++) numbers.next();
      setTimeout(() => onAnswer({ processed: PLAN.batch, duplicates: 0 }), delayMs);
    },
    close() {},
  };
}

test('every event is answered once, and marks are told on the way', async () => {
  const marks: number[] = [];
  const publisher = new Publisher({ ...PLAN, markEvery: 250 }, (mark) => marks.push(mark));
  await publisher.open(async () => slowLane(0));
  await publisher.runAtFullRate();
  assert.equal(publisher.processed, 1000);
  assert.equal(publisher.fresh, 1000);
  assert.deepEqual(marks, [250, 500, 750, 1000]);
});

test('at a fixed rate, waiting for a server that does not keep up counts as latency', async () => {
  const publisher = new Publisher(PLAN, () => {});
  await publisher.open(async () => slowLane(4));
  // Two lanes of 4 ms take 5,000 events a second at most: at twice that, the last batch comes some 100 ms too late.
  await publisher.runAt(10_000);
  assert.ok(publisher.latencies.summary().max > 80, JSON.stringify(publisher.latencies.summary()));
});

test('what goes wrong on a lane ends the run', async () => {
  const publisher = new Publisher(PLAN, () => {});
  await publisher.open(async (_plan, onError) => ({
    ...slowLane(0),
    send: () => onError(new Error('broken')),
  }));
  await assert.rejects(publisher.runAtFullRate(), /broken/);
});
