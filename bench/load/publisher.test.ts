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

test('at a fixed rate, lanes take turns', async () => {
  const sentOn: number[] = [];
  const publisher = new Publisher({ ...PLAN, events: 80, connections: 4 }, () => {});
  let lanes = 0;
  await publisher.open(async () => {
    const lane = slowLane(0);
    const number = lanes++;
    return {
      ...lane,
      send(numbers, onAnswer) {
        sentOn.push(number);
        lane.send(numbers, onAnswer);
      },
    };
  });
  await publisher.runAt(1000); // a batch every 10 ms, so that a lane is mostly free again when the next is due
  assert.deepEqual(
    [...new Set(sentOn)].sort((a, b) => a - b),
    [0, 1, 2, 3],
    sentOn.join(' '),
  );
});

test('what goes wrong on a lane ends the run', async () => {
  const publisher = new Publisher(PLAN, () => {});
  await publisher.open(async (_plan, onError) => ({
    ...slowLane(0),
    send: () => onError(new Error('broken')),
  }));
  await assert.rejects(publisher.runAtFullRate(), /broken/);
});

test('lanes are dealt out to all servers in turn, and events that are only queued count as answered', async () => {
  const urls: string[] = [];
  const publisher = new Publisher(
    { ...PLAN, connections: 4, url: 'http://one', others: ['http://two'] },
    () => {},
  );
  await publisher.open(async ({ url }) => {
    urls.push(url);
    return {
      send(numbers, onAnswer) {
        for (let i = 0; i < PLAN.batch; i++) numbers.next();
        setImmediate(() => onAnswer({ processed: 0, duplicates: 0, queued: PLAN.batch, refusals: 1 }));
      },
      close() {},
    };
  });
  await publisher.runAtFullRate();
  assert.deepEqual(urls, ['http://one', 'http://two', 'http://one', 'http://two']);
  assert.deepEqual([publisher.queued, publisher.processed, publisher.refusals], [1000, 0, 100]);
});
