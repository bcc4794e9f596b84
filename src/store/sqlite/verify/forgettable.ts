import type { DatabaseSync } from 'node:sqlite';

/**
 * The position below which the index may have dropped keys whose dedup window is over; 0 when no window was ever set. Of which
 * class a dropped key was is not known any more, so the shortest window decides, and the tick after the one that counts, for
 * ticks are thinned out.
 */
export function forgettableBefore(db: DatabaseSync, nowMs: number): number {
  const shortestS = numberOf(db, 'SELECT min(window_s) AS value FROM windows');
  if (shortestS === undefined) return 0;
  // A clock far ahead gives microseconds that no double holds; it gives whole milliseconds.
  const newestMs = numberOf(db, 'SELECT max(at_us) / 1000 AS value FROM ticks') ?? 0;
  const storedMs = numberOf(db, 'SELECT max(last_at_us) / 1000 AS value FROM topics') ?? 0;
  const beforeMs = Math.max(nowMs, newestMs, storedMs) - shortestS * 1000;
  const next = db
    .prepare('SELECT position FROM ticks WHERE at_us / 1000 > ? ORDER BY position LIMIT 1')
    .get(beforeMs);
  const last = numberOf(db, 'SELECT max(position) AS value FROM ticks') ?? 0;
  return Number(next?.['position'] ?? last) + 1;
}

/** The position below which events may be retired; of which topics they were is in `retired` of each. */
export function retiredBefore(db: DatabaseSync): number {
  return numberOf(db, 'SELECT max(retired_before) AS value FROM topics') ?? 0;
}

function numberOf(db: DatabaseSync, sql: string): number | undefined {
  return (db.prepare(sql).get()?.['value'] as number | null) ?? undefined;
}
