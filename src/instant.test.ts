import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { daysFromCivil, formatInstant, instant, instantOfMs, parseInstant } from './instant.ts';

/** As it comes back, or undefined when it is refused. */
function comesBackAs(text: string): string | undefined {
  const value = parseInstant(text);
  return value === undefined ? undefined : formatInstant(value);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

const FIRST_S = -62_167_219_200;
const LAST_S = 253_402_300_799;
const seconds = fc.integer({ min: FIRST_S, max: LAST_S });
const micros = fc.nat({ max: 999_999 });

describe('a date-time', () => {
  const spellings: Record<string, string> = {
    '2026-01-31T12:00:00Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31t12:00:00z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31 12:00:00Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31T12:00:00 Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31T12:00:00': '2026-01-31T12:00:00.000000Z',
    '2026-01-31T12:00Z': '2026-01-31T12:00:00.000000Z',
    '20260131T120000Z': '2026-01-31T12:00:00.000000Z',
    '20260131T1200Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31T12:00:00.5Z': '2026-01-31T12:00:00.500000Z',
    '2026-01-31T12:00:00,25Z': '2026-01-31T12:00:00.250000Z',
    '2026-01-31T12:00:00.1234567899Z': '2026-01-31T12:00:00.123456Z',
    '2026-01-31T12:00:00+07:00': '2026-01-31T05:00:00.000000Z',
    '2026-01-31T12:00:00-0730': '2026-01-31T19:30:00.000000Z',
    '2026-01-31T12:00:00+07': '2026-01-31T05:00:00.000000Z',
    '2026-01-31T00:30:00+01:00': '2026-01-30T23:30:00.000000Z',
    '2026-01-31T12:00:00-00:00': '2026-01-31T12:00:00.000000Z',
    '2016-12-31T23:59:60Z': '2017-01-01T00:00:00.000000Z',
    '2024-02-29T12:00:00Z': '2024-02-29T12:00:00.000000Z',
    '2000-02-29T12:00:00Z': '2000-02-29T12:00:00.000000Z',
    '0001-01-01T00:00:00Z': '0001-01-01T00:00:00.000000Z',
    '0099-12-31T00:00:00Z': '0099-12-31T00:00:00.000000Z',
    '1969-12-31T23:59:59.999999Z': '1969-12-31T23:59:59.999999Z',
    '9999-12-31T23:59:59.999999Z': '9999-12-31T23:59:59.999999Z',
  };
  for (const [given, expected] of Object.entries(spellings)) {
    it(`${given} comes back as ${expected}`, () => assert.equal(comesBackAs(given), expected));
  }

  const refused = [
    '',
    '2026-01-31',
    '12:00:00Z',
    '2026-1-31T12:00:00Z',
    '2026-0131T12:00:00Z',
    '2026-01-31T12:0000Z',
    '2026-01-31T12',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00ZZ',
    ' 2026-01-31T12:00:00Z',
    '2026-01-31T12:00:00Z\n',
    '2026-01-31T12:00:00 UTC',
    '2026-01-31T12:00:00+7',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00+01:60',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:61Z',
    '2026-00-10T12:00:00Z',
    '2026-13-10T12:00:00Z',
    '2026-01-00T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '1900-02-29T12:00:00Z',
    '+12026-01-31T12:00:00Z',
    '2026-W05-6T12:00:00Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '1769860800',
  ];
  for (const given of refused) {
    it(`${JSON.stringify(given)} is refused`, () => assert.equal(comesBackAs(given), undefined));
  }
});

describe('an instant', () => {
  it('comes back as the same, to the microsecond, in all of the years 0000 to 9999', () => {
    fc.assert(
      fc.property(seconds, micros, (s, us) => {
        const value = instant(s, us);
        assert.equal(parseInstant(formatInstant(value)), value);
      }),
    );
  });

  it('is a number where a double holds it exactly, and a bigint elsewhere', () => {
    fc.assert(
      fc.property(seconds, micros, (s, us) => {
        const value = instant(s, us);
        assert.equal(BigInt(value), BigInt(s) * 1_000_000n + BigInt(us));
        if (typeof value === 'number') assert.ok(Number.isSafeInteger(value));
      }),
    );
    assert.equal(typeof parseInstant('1700-01-01T00:00:00Z'), 'number');
    assert.equal(typeof parseInstant('2255-01-01T00:00:00Z'), 'number');
    assert.equal(typeof parseInstant('1600-01-01T00:00:00Z'), 'bigint');
    assert.equal(typeof parseInstant('2300-01-01T00:00:00Z'), 'bigint');
  });

  it('sorts as its text does', () => {
    const moment = fc.tuple(seconds, micros).map(([s, us]) => instant(s, us));
    fc.assert(
      fc.property(moment, moment, (left, right) => {
        assert.equal(left < right, formatInstant(left) < formatInstant(right));
      }),
    );
  });

  it('is the one that Date reads from the same text', () => {
    fc.assert(
      fc.property(fc.integer({ min: FIRST_S * 1000, max: LAST_S * 1000 }), (ms) => {
        assert.equal(parseInstant(new Date(ms).toISOString()), instantOfMs(ms));
        assert.equal(BigInt(instantOfMs(ms)), BigInt(ms) * 1000n);
      }),
    );
  });

  it('is the same in every zone', () => {
    const withinADay = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 });
    const awayFromTheEnds = fc.integer({ min: FIRST_S + 86_400, max: LAST_S - 86_400 });
    fc.assert(
      fc.property(awayFromTheEnds, withinADay, (s, offsetMinutes) => {
        const local = formatInstant(instant(s + offsetMinutes * 60, 0)).slice(0, -8);
        const minutes = Math.abs(offsetMinutes);
        const zone = `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
        assert.equal(parseInstant(`${local}${zone}`), instant(s, 0));
      }),
    );
  });

  it('counts the days as the calendar of Date does, and knows which do not exist', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 9999 }), // below 100, Date.UTC means another century
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, month, day) => {
          const ms = Date.UTC(year, month - 1, day);
          const date = new Date(ms);
          const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
          assert.equal(daysFromCivil(year, month, day), exists ? ms / 86_400_000 : undefined);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
