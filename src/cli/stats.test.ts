import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { statsLines } from './stats.ts';

const STATS = {
  received: 20_000,
  unique_processed: 13_000,
  duplicate_dropped: 7000,
  conflicts: 0,
  rejected: 2,
  queued: 0,
  dead_lettered: 0,
  dedup_rate_percent: 35,
  topics: ['orders', 'payments\u009b', 'refunds'],
  uptime_seconds: 61.234,
};

describe('the counters on a terminal', () => {
  test('stand under one another', () => {
    assert.deepEqual(statsLines(STATS, 120).map(stripVTControlCharacters), [
      'received           20,000  unique_processed + duplicate_dropped + queued + dead_lettered',
      'unique_processed   13,000',
      'duplicate_dropped   7,000  35 %, conflicts included',
      'conflicts               0',
      'rejected                2  not valid, so never received',
      'queued                  0',
      'dead_lettered           0',
      'topics                  3  orders, payments\\u009b, refunds',
      'uptime_seconds         61',
    ]);
  });

  test('keep to the width of the terminal', () => {
    const lines = statsLines(STATS, 40).map(stripVTControlCharacters);
    assert.ok(
      lines.every((line) => line.length <= 40),
      lines.join('\n'),
    );
    assert.equal(lines[0], 'received           20,000  unique_proce…');
  });
});
