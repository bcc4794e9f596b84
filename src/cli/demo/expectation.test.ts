import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { compare, expectationLines } from './expectation.ts';

const held = (expected: Parameters<typeof compare>[0], seen: Parameters<typeof compare>[1]) =>
  compare(expected, seen).map((expectation) => expectation.held);

describe('an expectation', () => {
  test('holds when the same was seen', () => {
    assert.deepEqual(held({ received: 3, verdicts: ['stored'] }, { received: 3, verdicts: ['stored'] }), [
      true,
      true,
    ]);
  });

  test('does not hold when one less was seen, or another order', () => {
    assert.deepEqual(held({ received: 13_000 }, { received: 12_999 }), [false]);
    assert.deepEqual(held({ verdicts: ['stored', 'duplicate'] }, { verdicts: ['duplicate', 'stored'] }), [
      false,
    ]);
    assert.deepEqual(held({ received: 1 }, { received: '1' }), [false]);
    assert.deepEqual(held({ received: 1 }, { received: Number.NaN }), [false]);
  });

  test('does not hold when nothing was seen, nor when nobody expected it', () => {
    assert.deepEqual(held({ received: 0 }, {}), [false]);
    assert.deepEqual(held({}, { conflicts: 0 }), [false]);
  });

  test('is told with what was expected and what was seen', () => {
    const lines = expectationLines(
      compare(
        { unique_processed: 13_000, verdicts: ['stored', 'duplicate'], conflicts: 0 },
        { unique_processed: 13_001, verdicts: ['stored', 'duplicate'] },
      ),
    );
    assert.deepEqual(lines.map(stripVTControlCharacters), [
      '✗ unique_processed  expected 13,000             saw 13,001',
      '✓ verdicts          expected stored, duplicate  saw stored, duplicate',
      '✗ conflicts         expected 0                  saw nothing',
    ]);
  });
});
