import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHandOut } from './hand-out-parser.ts';

const LEASE = '0123456789abcdef0123456789abcdef';

function answer(count: number, positions: readonly number[]): Buffer {
  const events = positions.map((position) => ({
    position,
    topic: 'orders.1',
    payload: { amount: 3 },
    attempt: 1,
  }));
  return Buffer.from(JSON.stringify({ count, lease: count === 0 ? null : LEASE, lease_ms: 30_000, events }));
}

test('lease and positions are found', () => {
  const positions = [7, 1234, 99];
  assert.deepEqual(readHandOut(answer(3, positions)), { lease: LEASE, positions });
  assert.deepEqual(readHandOut(answer(0, [])).positions, []);
});

test('a count that is not that of the events is an error, and so is anything else', () => {
  assert.throws(() => readHandOut(answer(2, [1])), /has 1 events/);
  assert.throws(() => readHandOut(Buffer.from('{"type":"…"}')), /not a hand-out/);
});
