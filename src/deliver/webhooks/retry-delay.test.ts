import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WEBHOOK_BOUNDS } from '../../protocol/subscriptions-wire.ts';
import { retryAfterMs, retryDelayMs } from './retry-delay.ts';

const SCHEDULE = WEBHOOK_BOUNDS.retryMs.fallback;
const middle = () => 0.5;

describe('the delay of a retry', () => {
  it('is that of Standard Webhooks, give or take a fifth', () => {
    const delays = Array.from(
      { length: 9 },
      (_, i) => retryDelayMs(i + 1, SCHEDULE, undefined, middle) / 1000,
    );
    assert.deepEqual(delays, [5, 300, 1800, 7200, 18_000, 36_000, 36_000, 36_000, 36_000]);
    assert.equal(
      retryDelayMs(1, SCHEDULE, undefined, () => 0),
      4000,
    );
    assert.equal(
      retryDelayMs(1, SCHEDULE, undefined, () => 1),
      6000,
    );
  });

  it('is what the receiver asks for, never less, and within a second and a day', () => {
    assert.equal(
      retryDelayMs(1, SCHEDULE, 60_000, () => 0),
      60_000,
    );
    assert.equal(
      retryDelayMs(1, SCHEDULE, 60_000, () => 1),
      72_000,
    );
    assert.equal(
      retryDelayMs(1, SCHEDULE, 0, () => 0),
      1000,
    );
    assert.equal(
      retryDelayMs(1, SCHEDULE, 10 ** 12, () => 1),
      86_400_000,
    );
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-01-31T12:00:00Z');

  for (const [header, ms] of [
    ['120', 120_000],
    [' 0 ', 0],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['99999999999999999999', 86_400_000],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400_000],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    it(`of ${JSON.stringify(header)} is ${ms} ms`, () => assert.equal(retryAfterMs(header, nowMs), ms));
  }
});
