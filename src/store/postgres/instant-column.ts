import { formatInstant, type Instant } from '../../instant.ts';

/** Reads an instant as microseconds since 1970, whatever the time zone and the date style of the connection are. */
export function instantColumn(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint`;
}

// What instant() keeps as a number; a text of an integer in between is exact as one.
const FIRST_NUMBER = -9_007_199_253e6;
const AFTER_LAST_NUMBER = 9_007_199_254e6;

/** The instant of such a column, as text. */
export function instantOf(micros: string): Instant {
  const number = Number(micros);
  return number >= FIRST_NUMBER && number < AFTER_LAST_NUMBER ? number : BigInt(micros);
}

/** An instant as PostgreSQL reads it, to the microsecond. It has no year 0: 1 BC is that. */
export function timestampText(value: Instant): string {
  const text = formatInstant(value);
  return text.startsWith('0000') ? `0001${text.slice(4)} BC` : text;
}
