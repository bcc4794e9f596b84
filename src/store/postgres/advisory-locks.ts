/**
 * The advisory locks by which instances keep out of each other's way, apart from those that hold positions (horizon-sql.ts):
 * these have keys of two numbers, which PostgreSQL keeps apart from keys of one. The first number is Sekali's.
 */
const SEKALI = 0x5345_4b41;

const NUMBERS = {
  /** Whoever makes partitions. */
  partitions: 1,
  /** Whoever retires events and deletes what is over. */
  retention: 2,
} as const;

/** The two arguments of pg_advisory_lock and its kind, as SQL. */
export function lockNumber(name: keyof typeof NUMBERS): string {
  return `${SEKALI}, ${NUMBERS[name]}`;
}
