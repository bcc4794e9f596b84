import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex } from '../../test/support/memory-consuming-store.ts';
import { CLAIM_MS, SETTINGS, WorkerHarness } from '../../test/support/worker-harness.ts';
import { SekaliError } from '../errors.ts';
import type { Worker } from './worker.ts';
import type { WorkerStore } from './worker-settings.ts';

const NEVER = new AbortController().signal;

async function rounds(worker: Worker, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await worker.runOnce(NEVER);
}

/** Works until nothing is left in the queue. */
async function workOff(harness: WorkerHarness, worker: Worker): Promise<void> {
  for (let i = 0; harness.queue.size > 0; i++) {
    assert.ok(i < 10_000, 'the worker makes no progress');
    await worker.runOnce(NEVER);
  }
}

/** A store that does something else in place of `consume`. */
function storeWith(harness: WorkerHarness, consume: (store: WorkerStore) => WorkerStore['consume']) {
  return async () => {
    const store = harness.database.openStore();
    return { ...store, consume: consume(store) };
  };
}

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

test('an entry that the store refuses holds up no other, is tried five times, and is set aside', async () => {
  const harness = new WorkerHarness();
  const worker = harness.worker();
  harness.enqueue('first');
  const bad = harness.enqueue('bad');
  harness.database.refused.add(bad);
  harness.enqueue('good');
  harness.enqueue('behind');
  await rounds(worker, 4);
  assert.deepEqual(harness.database.events, ['first', 'good', 'behind']);
  assert.equal(harness.queue.size, 1);
  await workOff(harness, worker);
  const [letter, ...others] = harness.database.letters;
  assert.deepEqual(others, []);
  assert.equal(hex(letter!.id), bad);
  assert.equal(letter!.attempts, SETTINGS.attemptsMax);
  assert.equal(letter!.reason, 'The database refuses it.');
  assert.ok(harness.time.nowMs() >= 4 * CLAIM_MS);
});

test('a bundle that is too much for the store is stored entry by entry, and no entry is the worse for it', async () => {
  const harness = new WorkerHarness();
  const ids = Array.from({ length: 40 }, (_, i) => `${i}`);
  for (const id of ids) harness.enqueue(id);
  harness.database.entriesMax = 1;
  await workOff(harness, harness.worker());
  assert.deepEqual(harness.database.events, ids);
  assert.deepEqual(harness.database.letters, []);
  assert.deepEqual(harness.logged, [], 'nothing is to be tried again');
  assert.equal(harness.time.nowMs(), 0, 'nothing had to come again');
});

test('so it is when the refusal takes most of the time that an entry may be held', async () => {
  const harness = new WorkerHarness();
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const id of ids) harness.enqueue(id);
  harness.database.entriesMax = 1;
  const openStore = storeWith(harness, (store) => async (group, entries) => {
    harness.pass(entries.ids.length > 1 ? 0.7 * CLAIM_MS : CLAIM_MS / 20);
    return await store.consume(group, entries);
  });
  const workers = [harness.worker({ openStore }), harness.worker({ openStore })];
  await Promise.all(workers.map((worker) => workOff(harness, worker)));
  assert.deepEqual(new Set(harness.database.events), new Set(ids));
  assert.equal(harness.database.events.length, ids.length);
  assert.deepEqual(harness.database.letters, []);
});

test('an entry that is too much by itself is set aside at its last attempt, and no other with it', async () => {
  const harness = new WorkerHarness();
  const ids = Array.from({ length: 20 }, (_, i) => harness.enqueue(`${i}`));
  harness.database.entriesMax = 1;
  harness.database.refused.add(ids[7]!);
  await workOff(harness, harness.worker());
  assert.deepEqual(
    harness.database.letters.map(({ id, attempts }) => [hex(id), attempts]),
    [[ids[7], SETTINGS.attemptsMax]],
  );
  assert.equal(harness.database.events.length, 19);
});

test('an entry that cannot even be set aside stays, holds up no other, and is told once each time it comes', async () => {
  const harness = new WorkerHarness();
  const worker = harness.worker();
  harness.enqueue('first');
  const id = hex(harness.queue.add(Buffer.from('no entry'), 1));
  harness.database.unburied.add(id);
  harness.enqueue('good');
  const comings = 3 * SETTINGS.attemptsMax;
  for (let coming = 1; coming <= comings; coming++) {
    harness.enqueue(`${coming}`);
    await rounds(worker, 4);
    harness.pass(CLAIM_MS + 1);
    const told = harness.logged.filter(({ level }) => level === 'error');
    assert.equal(told.length, coming);
    assert.equal(told.at(-1)!.message, 'An entry cannot be set aside.');
    assert.equal(told.at(-1)!.fields!['attempts'], coming);
    assert.equal(harness.database.events.length, 2 + coming);
    assert.equal(harness.queue.size, 1);
  }
  harness.database.unburied.clear();
  await workOff(harness, worker);
  assert.equal(harness.database.ended.get(id), 'dead');
});

test('an entry that nobody can read is set aside at once, and those beside it are stored', async () => {
  const harness = new WorkerHarness();
  harness.enqueue('first');
  harness.enqueueBroken();
  harness.enqueue('good');
  await rounds(harness.worker(), 3);
  assert.equal(harness.queue.size, 0);
  assert.deepEqual(harness.database.events, ['first', 'good']);
  assert.match(harness.database.letters[0]!.reason, /cannot be read/);
  assert.equal(harness.database.letters[0]!.attempts, 1);
});

test('an entry of a newer version is left to newer workers, and is set aside only when none comes', async () => {
  const harness = new WorkerHarness();
  harness.enqueue('first');
  const newer = harness.enqueueNewer('newer');
  harness.enqueue('good');
  const worker = harness.worker();
  await rounds(worker, 3);
  assert.deepEqual([harness.queue.size, harness.database.letters], [1, []]);
  assert.deepEqual(harness.database.events, ['first', 'good']);
  while (harness.queue.size > 0) {
    harness.pass(CLAIM_MS + 1);
    await rounds(worker, 1);
  }
  assert.equal(harness.database.ended.get(newer), 'dead');
  assert.equal(harness.database.letters[0]!.attempts, SETTINGS.attemptsMax);
  assert.match(harness.database.letters[0]!.reason, /version 99/);
});

test('an entry that ends its workers is set aside, and those that came with it are stored', async () => {
  const harness = new WorkerHarness();
  const ids = Array.from({ length: 40 }, (_, i) => harness.enqueue(`${i}`));
  const killer = ids[20]!;
  let deaths = 0;
  while (harness.queue.size > 0) {
    const died = Promise.withResolvers<void>();
    const worker = harness.worker({
      openStore: storeWith(harness, (store) => (group, entries) => {
        if (!entries.ids.some((id) => hex(id) === killer)) return store.consume(group, entries);
        died.resolve();
        return new Promise(() => {});
      }),
    });
    const isDead = await Promise.race([died.promise.then(() => true), workOff(harness, worker)]);
    if (isDead === true) deaths++;
    harness.pass(CLAIM_MS + 1);
  }
  assert.equal(deaths, 2 * SETTINGS.attemptsMax);
  assert.deepEqual(
    harness.database.letters.map(({ id, attempts }) => [hex(id), attempts]),
    [[killer, 2 * SETTINGS.attemptsMax + 1]],
  );
  assert.equal(harness.database.events.length, 39);
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
