import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex } from '../../test/support/memory-consuming-store.ts';
import {
  CLAIM_MS,
  rounds,
  SETTINGS,
  storeWith,
  WorkerHarness,
  workOff,
} from '../../test/support/worker-harness.ts';

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
