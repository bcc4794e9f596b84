import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { memberLines } from './get.ts';

const EVENT =
  '{"position":12,"topic":"it\'s orders","event_id":"order-1","timestamp":"2026-01-31T12:00:00.000000Z","source":"shop","payload":{"n": 12345678901234567890, "text": "a\u009bb"},"processed_at":"2026-01-31T12:00:01.000000Z","receipt":{"verdict":"stored","position":12,"first_seen_at":"2026-01-31T12:00:01.000000Z"},"conflicts":CONFLICTS}';

function shown(conflicts: string): string[] {
  return memberLines(EVENT.replace('CONFLICTS', conflicts)).map(stripVTControlCharacters);
}

describe('an event on a terminal', () => {
  test('shows each member on a line and the payload below, as it was sent', () => {
    assert.deepEqual(shown('[]'), [
      'position      12',
      "topic         it's orders",
      'event_id      order-1',
      'timestamp     2026-01-31T12:00:00.000000Z',
      'source        shop',
      'processed_at  2026-01-31T12:00:01.000000Z',
      'payload',
      '  {',
      '    "n": 12345678901234567890,',
      '    "text": "a\\u009bb"',
      '  }',
    ]);
  });

  test('tells of conflicts and of the command that shows them', () => {
    assert.equal(
      shown('[{},{}]').at(-1),
      "conflicts     2, as sekali conflicts --topic 'it'\\''s orders' --event-id order-1 shows",
    );
  });
});
