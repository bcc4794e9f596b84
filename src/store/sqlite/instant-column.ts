import { type Instant, instant } from '../../instant.ts';

/** Reads an instant as two columns that are safe integers each; node:sqlite throws on an integer beyond 2^53. */
export function instantColumns(column: string, name: string): string {
  return `${column} / 1000000 AS ${name}_s, ${column} % 1000000 AS ${name}_micros`;
}

/** The instant of the two columns; SQLite rounds towards zero, so before 1970 the micros are negative. */
export function instantOf(seconds: unknown, micros: unknown): Instant {
  return instant(seconds as number, micros as number);
}
