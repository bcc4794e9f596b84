import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

const FOREVER = new AbortController().signal;

test('who waits is served in turn, and one who has given up takes no turn', { timeout: 10_000 }, async () => {
  const turns = new Turns(1);
  assert.equal(await turns.take(1, FOREVER), 1);
  const leaving = new AbortController();
  const left = turns.take(1, leaving.signal);
  const order: string[] = [];
  const waiting = ['first', 'second'].map((name) => turns.take(1, FOREVER).then(() => order.push(name)));
  leaving.abort();
  assert.equal(await left, 0);
  turns.give();
  await waiting[0];
  assert.deepEqual(order, ['first']);
  turns.give();
  await waiting[1];
  assert.deepEqual(order, ['first', 'second']);
});

test('one that is free is taken though the signal is aborted, for it costs no wait', async () => {
  const turns = new Turns(1);
  assert.equal(await turns.take(1, AbortSignal.abort()), 1);
  assert.equal(await turns.take(1, AbortSignal.abort()), 0);
  turns.give();
  assert.equal(await turns.take(1, AbortSignal.abort()), 1);
});

test('are never more than there are, and more than one at a time only while nobody waits', async () => {
  const turns = new Turns(3);
  assert.equal(await turns.take(2), 2);
  assert.equal(await turns.take(8), 1);
  const order: string[] = [];
  const a = turns.take(8).then((count) => order.push(`a${count}`));
  const b = turns.take(8).then((count) => order.push(`b${count}`));
  turns.give(2);
  await Promise.all([a, b]);
  assert.deepEqual(order, ['a1', 'b1']);
  turns.give(3);
  assert.equal(await turns.take(8), 3);
});
