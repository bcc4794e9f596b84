import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from './tally.ts';

const taken = async () => {};

/** Whether a flush that begins now has nothing to wait for. */
async function isReached(tally: Tally): Promise<boolean> {
  const aborted = AbortSignal.abort();
  return await tally.reached(aborted).then(
    () => true,
    () => false,
  );
}

test('a call that has not ended is waited for, one that begins later is not', async () => {
  const tally = new Tally(false);
  const first = Promise.withResolvers<void>();
  const calls = [tally.call(first.promise)];
  const reached = tally.reached();
  calls.push(tally.call(new Promise(() => undefined)));
  await tally.take('a', true, taken);
  first.resolve();
  await calls[0];
  assert.equal(tally.openCount, 1);
  tally.settled(['a'], false);
  await reached;
});

test('behind what an earlier process has left, all is answered when the landmark is', async () => {
  const tally = new Tally(true);
  for (const text of ['a', 'b', 'c']) await tally.take(text, true, taken);
  tally.settled(['left', 'left'], false);
  assert.equal(await isReached(tally), false);
  tally.settled(['left', 'a', 'b'], false);
  assert.equal(await isReached(tally), false);
  tally.settled(['c'], false);
  assert.equal(await isReached(tally), true);
});

test('what may have been left just as it was sent is no landmark, nor is what was not taken', async () => {
  const tally = new Tally(true);
  await tally.take('a', false, taken);
  await assert.rejects(tally.take('b', true, () => Promise.reject(new Error('full'))));
  tally.settled(['a', 'b'], false);
  assert.equal(await isReached(tally), false);
  await tally.take('c', true, taken);
  tally.settled(['b', 'a', 'c'], false);
  assert.equal(await isReached(tally), true);
});

test('a spool that is empty has answered all, whatever was lost to damage', async () => {
  const tally = new Tally(true);
  for (const text of ['a', 'b']) await tally.take(text, true, taken);
  tally.settled(['b'], true);
  assert.equal(await isReached(tally), true);
});

test('those who wait now are failed once; what is left is told to all, now and later', async () => {
  const tally = new Tally(true);
  const held = assert.rejects(tally.reached(), { message: 'held' });
  tally.fail(new Error('held'));
  await held;
  const left = assert.rejects(tally.reached(), { message: 'left' });
  tally.end(new Error('left'));
  await left;
  await assert.rejects(tally.reached(), { message: 'left' });
});
