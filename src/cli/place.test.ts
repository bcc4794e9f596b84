import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place } from './place.ts';

test('a place is a word, a position or a time', () => {
  for (const [given, value] of [
    ['earliest', 'earliest'],
    ['latest', 'latest'],
    ['0', { after: 0 }],
    ['12', { after: 12 }],
    ['2026-01-31T12:00:00Z', { since: '2026-01-31T12:00:00Z' }],
  ] as const) {
    assert.deepEqual(place.read(given), { value }, given);
  }
});

test('what is none of them is refused', () => {
  for (const given of ['', 'first', '-1', '1.5', '9007199254740992', 'yesterday', '2026-01-31']) {
    assert.ok('rule' in place.read(given), given);
  }
});
