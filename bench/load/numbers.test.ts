import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventNumbers } from './numbers.ts';

test('without duplicates, each number comes once', () => {
  const numbers = new EventNumbers({ events: 5, first: 100, duplicates: 0, seed: 1 });
  const given = Array.from({ length: 5 }, () => numbers.next());
  assert.deepEqual(given, [100, 101, 102, 103, 104]);
  assert.equal(numbers.left, 0);
  assert.equal(numbers.fresh, 5);
});

test('duplicates are drawn evenly from all that came before', () => {
  const first = 1_000_000;
  const numbers = new EventNumbers({ events: 200_000, first, duplicates: 0.5, seed: 7 });
  const tenths = Array.from({ length: 10 }, () => 0);
  let repeated = 0;
  while (numbers.left > 0) {
    const end = first + numbers.fresh;
    const number = numbers.next();
    if (number === end) continue;
    assert.ok(number < end);
    repeated++;
    tenths[Math.floor((10 * number) / end)]!++;
  }
  assert.ok(Math.abs(repeated - 100_000) < 2000, `${repeated} repeated`);
  for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, tenths.join(' '));
});
