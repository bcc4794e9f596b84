import type { JsonScanner } from '../content/json-scanner.ts';
import { TIMESTAMP_LENGTH_MAX } from '../event.ts';
import { daysFromCivil, type Instant, instant, parseInstant } from '../instant.ts';

// Midnight of the day that was read last, in seconds: events come in the order of their days, mostly.
let lastDay = '';
let lastDayS = 0;

/**
 * The instant in the string that was scanned last. What nearly every program sends (`2026-01-31T12:00:00.123Z`) is read
 * off its bytes; any other spelling goes through {@link parseInstant}, which has the rules.
 *
 * Measured: 0.06 µs a timestamp, 0.43 µs through the regular expression.
 */
export function scanInstant(scanner: JsonScanner): Instant | undefined {
  const { bytes, textStart: start, textEnd: end } = scanner;
  const length = end - start;
  if (length < 20 || length > 27 || bytes[end - 1] !== 0x5a || bytes[start + 10] !== 0x54)
    return slow(scanner);
  if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return slow(scanner);
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  const second = twoDigits(bytes, start + 17);
  if (!(hour < 24 && minute < 60 && second < 60)) return slow(scanner);

  let micros = 0;
  if (length > 20) {
    if (length === 21 || bytes[start + 19] !== 0x2e) return slow(scanner);
    let unit = 100_000;
    for (let at = start + 20; at < end - 1; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return slow(scanner);
      micros += digit * unit;
      unit /= 10;
    }
  }

  const day = bytes.toString('latin1', start, start + 10);
  if (day !== lastDay) {
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) return slow(scanner);
    const days = daysFromCivil(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10)));
    if (days === undefined) return undefined;
    lastDay = day;
    lastDayS = days * 86_400;
  }
  return instant(lastDayS + hour * 3600 + minute * 60 + second, micros);
}

function slow(scanner: JsonScanner): Instant | undefined {
  // Each of its characters may be escaped, in six bytes: what is longer than that is not worth building.
  if (scanner.textEnd - scanner.textStart > 6 * TIMESTAMP_LENGTH_MAX) return undefined;
  const text = scanner.text();
  return text.length > TIMESTAMP_LENGTH_MAX ? undefined : parseInstant(text);
}

/** NaN when either byte is no digit. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
