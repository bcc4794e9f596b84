import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { spell } from '../../test/support/spell-json.ts';
import { JsonScanner } from '../content/json-scanner.ts';
import { type Instant, parseInstant } from '../instant.ts';
import { scanInstant } from './scan-instant.ts';

function scan(json: string): Instant | undefined {
  const bytes = Buffer.from(json);
  const scanner = new JsonScanner(bytes, 0, bytes.length, 0, 0);
  scanner.string();
  return scanInstant(scanner);
}

/** Near the spelling that is read off the bytes, within each of its fields. */
const nearlyUsual = fc
  .record({
    date: fc.constantFrom(
      '2026-01-31',
      '2024-02-29',
      '2025-02-29',
      '0000-01-01',
      '9999-12-31',
      '2026-1-031',
      '2026-00-10',
    ),
    joint: fc.constantFrom('T', 'T', 'T', 't', ' ', 'x'),
    time: fc.constantFrom(
      '00:00:00',
      '23:59:59',
      '23:59:60',
      '24:00:00',
      '12:60:00',
      '12:00:61',
      '1::00:00',
      '12-00-00',
    ),
    fraction: fc.oneof(
      fc.constantFrom('', '.', ',5', '.12345a', '.1234567', '.:'),
      fc.nat({ max: 999_999 }).map((digits) => `.${digits}`),
    ),
    zone: fc.constantFrom('Z', 'Z', 'Z', 'z', '', '+00:00', '-23:59'),
  })
  .map(({ date, joint, time, fraction, zone }) => date + joint + time + fraction + zone);

test('a date-time that is read off its bytes is the one that the rules give', () => {
  let read = 0;
  fc.assert(
    fc.property(nearlyUsual, fc.nat({ max: 3 }), (text, seed) => {
      const expected = parseInstant(text);
      if (expected !== undefined) read++;
      assert.equal(scan(spell(text, seed).trim()), expected, text);
    }),
    { numRuns: 5000 },
  );
  assert.ok(read > 500, `only ${read} were valid`);
});

test('the day that was read last is not taken for the next one', () => {
  const [first, second] = ['2026-01-31T00:00:00Z', '2026-02-01T00:00:00Z'];
  for (const text of [first, second, first, '2026-02-30T00:00:00Z', first]) {
    assert.equal(scan(JSON.stringify(text)), parseInstant(text), text);
  }
});

function withDigits(count: number): string {
  return `2026-01-31T12:00:00.${'1'.repeat(count)}Z`;
}

/** As a JSON string, each character escaped. */
function escaped(text: string): string {
  return `"${[...text].map((character) => `\\u00${character.charCodeAt(0).toString(16)}`).join('')}"`;
}

test('one with digits beyond the microsecond has at most 128 characters, each of which may be escaped', () => {
  assert.equal(withDigits(107).length, 128);
  assert.equal(scan(JSON.stringify(withDigits(107))), parseInstant('2026-01-31T12:00:00.111111Z'));
  assert.equal(scan(escaped(withDigits(107))), parseInstant('2026-01-31T12:00:00.111111Z'));
  assert.equal(scan(JSON.stringify(withDigits(108))), undefined);
  assert.equal(scan(escaped(withDigits(108))), undefined);
});
