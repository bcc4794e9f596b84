import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateBetween, ratePoints } from './rate.ts';

const SAMPLES = [
  { atMs: 1000, stored: 0 },
  { atMs: 2000, stored: 0 },
  { atMs: 3000, stored: 300 },
  { atMs: 4000, stored: 400 },
];

test('a stretch that ends between two samples is taken as if events came evenly', () => {
  assert.equal(rateBetween(SAMPLES, 150, 300), 300);
  assert.equal(rateBetween(SAMPLES, 150, 350), 200);
});

test('nothing was stored when the first sample was taken: waiting for the first event counts', () => {
  assert.equal(rateBetween(SAMPLES, 0, 300), 150);
});

test('there is a point for each whole stretch, and none beyond the total', () => {
  assert.deepEqual(ratePoints(SAMPLES, 399, 100), [
    { events: 100, eventsPerSecond: 75 },
    { events: 200, eventsPerSecond: 300 },
    { events: 300, eventsPerSecond: 300 },
  ]);
  assert.throws(() => rateBetween(SAMPLES, 0, 401), /never stored/);
});
