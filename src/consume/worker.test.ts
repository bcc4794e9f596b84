import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLAIM_MS,
  NEVER,
  rounds,
  storeWith,
  WorkerHarness,
  workOff,
} from '../../test/support/worker-harness.ts';
import { SekaliError } from '../errors.ts';

test('entries that wait become few transactions, and are acknowledged', async () => {
  const harness = new WorkerHarness();
  for (let i = 0; i < 40; i++) harness.enqueue(`${i}a`, `${i}b`);
  await workOff(harness, harness.worker());
  assert.equal(harness.database.events.length, 80);
  assert.deepEqual(
    harness.database.calls.map((ids) => ids.length),
    [1, 2, 4, 8, 16, 9],
    'it claims twice as many each time, until they make a bundle',
  );
});

test('a bundle ends at its size, and an entry that is larger comes whole', async () => {
  const harness = new WorkerHarness();
  const worker = harness.worker({}, { eventsMax: 5 });
  for (let i = 0; i < 4; i++) harness.enqueue(`${i}a`, `${i}b`);
  harness.enqueue(...Array.from({ length: 12 }, (_, i) => `large${i}`));
  await workOff(harness, worker);
  assert.deepEqual(
    harness.database.calls.map((ids) => ids.length),
    [1, 2, 1, 1],
  );
});

test('the next bundle is claimed while one is being committed', async () => {
  const harness = new WorkerHarness();
  const consuming = Promise.withResolvers<void>();
  const claimed = Promise.withResolvers<void>();
  const queue = harness.queue.consumer();
  let claims = 0;
  const worker = harness.worker({
    queue: {
      ...queue,
      async claim(options) {
        if (++claims === 2) claimed.resolve();
        return await queue.claim(options);
      },
    },
    openStore: storeWith(harness, (store) => async (...call) => {
      consuming.resolve();
      await claimed.promise; // for ever, if nothing is claimed until this has settled
      return await store.consume(...call);
    }),
  });
  for (const id of ['a', 'b']) harness.enqueue(id);
  const round = worker.runOnce(NEVER);
  await consuming.promise;
  await round;
  assert.equal(harness.queue.size, 1);
  await worker.runOnce(NEVER);
  assert.equal(harness.queue.size, 0);
});

test('entries that were consumed before are acknowledged, and the others are stored without them', async () => {
  const harness = new WorkerHarness();
  const queue = harness.queue.consumer();
  // Acknowledgements are lost, so all of them come again, together with new ones.
  const forgetful = harness.worker({
    queue: { ...queue, ack: async () => Promise.reject(new SekaliError('queue_unavailable', 'gone')) },
  });
  for (const id of ['a', 'b', 'c']) harness.enqueue(id);
  await rounds(forgetful, 2);
  harness.pass(CLAIM_MS + 1);
  harness.enqueue('d');
  await workOff(harness, harness.worker());
  assert.deepEqual(harness.database.events, ['a', 'b', 'c', 'd']);
  assert.deepEqual(Object.values(harness.database.consumed), [4]);
});

test('a bundle of repeated and new entries stores the new ones', async () => {
  const harness = new WorkerHarness();
  harness.enqueue('first'); // so that the next claim takes two
  const known = harness.enqueue('known');
  const other = harness.enqueue('other');
  harness.database.ended.set(known, 'consumed');
  await workOff(harness, harness.worker());
  assert.deepEqual(harness.database.events, ['first', 'other']);
  assert.equal(harness.database.ended.get(other), 'consumed');
});

test('entries of several epochs are never in one call', async () => {
  const harness = new WorkerHarness();
  const first = (await harness.queue.state()).epoch;
  harness.enqueue('0');
  harness.enqueue('1');
  const second = harness.queue.beginEpoch();
  harness.enqueue('2', '3');
  await workOff(harness, harness.worker());
  assert.deepEqual(harness.database.consumed, { [first]: 2, [second]: 2 });
});

test('while the store is away, what is held waits, nothing is claimed, and no entry is the worse for it', async () => {
  const harness = new WorkerHarness();
  const worker = harness.worker();
  const idle = harness.worker();
  await rounds(worker, 1);
  await rounds(idle, 1);
  for (let i = 0; i < 5; i++) harness.enqueue(`${i}`);
  harness.database.isAway = true;
  const downReasons = new Set<string | undefined>();
  const endMs = harness.time.nowMs() + 20 * CLAIM_MS;
  harness.onSleep = () => {
    downReasons.add(worker.downReason);
    if (harness.time.nowMs() >= endMs) harness.database.isAway = false;
  };
  await Promise.all([rounds(worker, 2), rounds(idle, 2)]);
  await workOff(harness, worker);
  assert.deepEqual(harness.database.events.toSorted(), ['0', '1', '2', '3', '4']);
  assert.deepEqual(harness.database.letters, []);
  assert.ok(downReasons.has('The database is away.'));
  assert.equal(worker.downReason, undefined);
});

test('a worker without entries does not look for some while the store is away', async () => {
  const harness = new WorkerHarness();
  const queue = harness.queue.consumer();
  let claims = 0;
  const claim: typeof queue.claim = async (options) => {
    claims++;
    return await queue.claim(options);
  };
  const worker = harness.worker({ queue: { ...queue, claim } });
  await rounds(worker, 1);
  assert.equal(claims, 1);
  harness.enqueue('a');
  harness.database.isAway = true;
  let sleeps = 0;
  harness.onSleep = () => {
    assert.equal(claims, 1);
    if (++sleeps === 20) harness.database.isAway = false;
  };
  await rounds(worker, 1);
  assert.equal(claims, 3, 'this one, and one ahead');
  assert.deepEqual(harness.database.events, ['a']);
});

test('a store that opens and fails at every call is left alone for longer each time', async () => {
  const harness = new WorkerHarness();
  let tries = 0;
  const worker = harness.worker({
    openStore: storeWith(harness, (store) => async (...call) => {
      if (++tries <= 50) throw new SekaliError('store_unavailable', 'The disk is full.');
      return await store.consume(...call);
    }),
  });
  harness.enqueue('a');
  const beganMs = harness.time.nowMs();
  await rounds(worker, 1);
  // 50 waits of half a second each, on average; below 5 s has a chance of one in 10^20.
  assert.ok(harness.time.nowMs() - beganMs > 5000, `waited ${harness.time.nowMs() - beganMs} ms`);
  assert.deepEqual(harness.database.events, ['a']);
  assert.equal(harness.database.open, 1, 'stores that failed are closed');
});

test('while the queue is away, the worker waits for it', async () => {
  const harness = new WorkerHarness();
  const worker = harness.worker();
  harness.enqueue('a');
  harness.queue.isAway = true;
  let sleeps = 0;
  harness.onSleep = () => {
    if (++sleeps === 20) harness.queue.isAway = false;
  };
  await rounds(worker, 20);
  assert.equal(worker.downReason, 'The queue is away.');
  await rounds(worker, 1);
  assert.deepEqual(harness.database.events, ['a']);
  assert.equal(worker.downReason, undefined);
});

test('a worker that is told to stop finishes what it holds, and claims nothing more', async () => {
  const harness = new WorkerHarness();
  const stop = new AbortController();
  let tries = 0;
  const worker = harness.worker({
    openStore: storeWith(harness, (store) => async (...call) => {
      if (++tries === 2) stop.abort();
      return await store.consume(...call);
    }),
  });
  for (let i = 0; i < 20; i++) harness.enqueue(`${i}`);
  await worker.start(stop.signal);
  assert.equal(harness.database.open, 0);
  // One, then two, then the four that were claimed ahead at the latest.
  assert.ok([17, 13].includes(harness.queue.size), `${harness.queue.size} are left`);
  assert.equal(harness.queue.size + harness.database.events.length, 20);
});

test('a worker that is told to stop while the store is away leaves what it holds to others', async () => {
  const harness = new WorkerHarness();
  const stop = new AbortController();
  harness.enqueue('a');
  harness.onSleep = () => stop.abort();
  const worker = harness.worker({
    openStore: storeWith(harness, () => async () => {
      throw new SekaliError('store_unavailable', 'gone');
    }),
  });
  await worker.start(stop.signal);
  assert.equal(harness.queue.size, 1);
  harness.onSleep = () => {};
  harness.pass(CLAIM_MS + 1);
  await workOff(harness, harness.worker());
  assert.deepEqual(harness.database.events, ['a']);
});
