import type { LeaseRef, Settled } from '../subscription-store.ts';
import type { Sql } from './sql-pool.ts';
import { hexOf, leaseArrays } from './subscription-values.ts';

/**
 * Ending leases, giving events back and extending leases: each changes the rows that leases hold, and is one statement, with at most
 * one that reads before it or after it. Arrays go over sorted by position, and rows are looked up and locked one by one in that
 * order: two that settle the same ones come one after the other (subscription-lock.ts).
 *
 * `clock_timestamp()` and not `now()`: a row that was waited for is judged anew, by the time of then.
 */

const SUBSCRIPTION = '(SELECT subscription_id FROM sekali.subscriptions WHERE name = $1)';

/** What the leases of $2 and $3 have, as `d`. @param comparison of `due_at` with the time, of those that are meant */
export function leasedRows(comparison: string, columns: string, lock = ''): string {
  return `unnest($2::bigint[], $3::uuid[]) WITH ORDINALITY AS w (position, lease, number)
    CROSS JOIN LATERAL (
      SELECT ${columns} FROM sekali.deliveries d
        WHERE d.subscription_id = ${SUBSCRIPTION} AND d.position = w.position AND d.lease = w.lease
          AND d.due_at ${comparison} clock_timestamp() ${lock}
    ) AS d`;
}

export const HELD = `WITH held AS MATERIALIZED (
  SELECT d.position, w.lease, w.number FROM ${leasedRows('>', 'd.position', 'FOR UPDATE')})`;

// By the array, not by a join: whatever is known of the tables, it is the primary key that finds them.
export const ARE_HELD = `d.subscription_id = ${SUBSCRIPTION} AND d.position = ANY (ARRAY (SELECT position FROM held))`;

export async function ack(sql: Sql, name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
  const rows = await sql(
    `${HELD} DELETE FROM sekali.deliveries d WHERE ${ARE_HELD} RETURNING d.position, d.lease`,
    [name, ...leaseArrays(inOrder(leases))],
  );
  return await outcomes(sql, name, leases, rows, { isOver: true });
}

export async function extend(
  sql: Sql,
  name: string,
  leases: readonly LeaseRef[],
  leaseMs: number,
): Promise<Settled[]> {
  const rows = await sql(
    `${HELD} UPDATE sekali.deliveries d SET due_at = (SELECT clock_timestamp()) + $4::float8 * interval '1 millisecond'
       WHERE ${ARE_HELD} RETURNING d.position, d.lease`,
    [name, ...leaseArrays(inOrder(leases)), leaseMs],
  );
  return await outcomes(sql, name, leases, rows, { isOver: false });
}

/**
 * What became of each lease, in the order of the caller.
 *
 * @param changed position and lease of the rows that were changed
 * @param isOver whether a lease ended by it, so that it counts once however often it is named
 */
export async function outcomes(
  sql: Sql,
  name: string,
  leases: readonly LeaseRef[],
  changed: (string | null)[][],
  { isOver }: { isOver: boolean },
): Promise<Settled[]> {
  const done = new Set(changed.map(toKey));
  const hasAll = done.size === leases.length;
  const expired = hasAll ? new Set() : await readExpired(sql, name, leases, done);
  return leases.map((ref) => {
    const key = keyOf(ref);
    if (isOver ? done.delete(key) : done.has(key)) return 'done';
    return expired.has(key) ? 'lease_expired' : 'lease_stale';
  });
}

async function readExpired(
  sql: Sql,
  name: string,
  leases: readonly LeaseRef[],
  done: ReadonlySet<string>,
): Promise<Set<string>> {
  const others = inOrder(leases.filter((ref) => !done.has(keyOf(ref))));
  if (others.length === 0) return new Set();
  const rows = await sql(`SELECT d.position, w.lease FROM ${leasedRows('<=', 'd.position')}`, [
    name,
    ...leaseArrays(others),
  ]);
  return new Set(rows.map(toKey));
}

export function inOrder(leases: readonly LeaseRef[]): LeaseRef[] {
  return leases.toSorted((a, b) => a.position - b.position);
}

export function keyOf({ position, lease }: LeaseRef): string {
  return `${position} ${lease.toLowerCase()}`;
}

function toKey(row: readonly (string | null)[]): string {
  return keyOf({ position: Number(row[0]), lease: hexOf(row[1]!) });
}
