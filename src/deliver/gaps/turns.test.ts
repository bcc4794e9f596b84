import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

const FOREVER = new AbortController().signal;

test('who waits is served in turn, and one who has given up takes no turn', { timeout: 10_000 }, async () => {
  const turns = new Turns(1);
  assert.equal(await turns.take(FOREVER), true);
  const leaving = new AbortController();
  const left = turns.take(leaving.signal);
  const order: string[] = [];
  const waiting = ['first', 'second'].map((name) => turns.take(FOREVER).then(() => order.push(name)));
  leaving.abort();
  assert.equal(await left, false);
  turns.give();
  await waiting[0];
  assert.deepEqual(order, ['first']);
  turns.give();
  await waiting[1];
  assert.deepEqual(order, ['first', 'second']);
});

test('one that is free is taken though the signal is aborted, for it costs no wait', async () => {
  const turns = new Turns(1);
  assert.equal(await turns.take(AbortSignal.abort()), true);
  assert.equal(await turns.take(AbortSignal.abort()), false);
  turns.give();
  assert.equal(await turns.take(AbortSignal.abort()), true);
});
