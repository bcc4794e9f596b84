import type { LeaseRef, Outstanding, Settled, Verdict } from '../subscription-store.ts';
import { fixedArray, INT8 } from './binary-arrays.ts';
import type { Sql } from './sql-pool.ts';
import { ARE_HELD, HELD, inOrder, keyOf, leasedRows, outcomes } from './subscription-settling.ts';
import { hexOf, leaseArrays, reasonText } from './subscription-values.ts';

/**
 * The rows are read, and then changed where the leases still hold: what a lease says of its event stays the same for as long as it
 * holds, so nothing is locked while it is decided.
 */
export async function nack(
  sql: Sql,
  name: string,
  leases: readonly LeaseRef[],
  decide: (row: Outstanding) => Verdict,
): Promise<Settled[]> {
  const found = await sql(
    `SELECT d.position, w.lease, d.topic, d.attempts FROM ${leasedRows('>', 'd.position, d.topic, d.attempts')}`,
    [name, ...leaseArrays(inOrder(leases))],
  );
  const decided = new Map<string, { ref: LeaseRef; verdict: Verdict }>();
  for (const [position, lease, topic, attempts] of found as string[][]) {
    const ref = { position: Number(position), lease: hexOf(lease!) };
    if (decided.has(keyOf(ref))) continue;
    const verdict = decide({ position: ref.position, topic: topic!, attempts: Number(attempts) });
    decided.set(keyOf(ref), { ref, verdict });
  }
  const rows = decided.size === 0 ? [] : await giveBack(sql, name, [...decided.values()]);
  return await outcomes(sql, name, leases, rows, { isOver: true });
}

async function giveBack(
  sql: Sql,
  name: string,
  given: readonly { readonly ref: LeaseRef; readonly verdict: Verdict }[],
): Promise<(string | null)[][]> {
  const verdicts = given.map(({ verdict }) => verdict);
  const delays = verdicts.map((one) => (one.kind === 'wait' ? Math.round(one.delayMs * 1000) : undefined));
  const attempts = verdicts.map((one) => (one.kind === 'wait' ? one.attempts : undefined));
  return await sql(
    `${HELD} UPDATE sekali.deliveries d SET
         lease = NULL, reason = v.reason, attempts = coalesce(v.attempts, d.attempts),
         due_at = (SELECT clock_timestamp()) + v.delay_us * interval '1 microsecond',
         died_at = CASE WHEN v.delay_us IS NULL THEN (SELECT clock_timestamp()) END
       FROM held h JOIN unnest($4::bigint[], $5::text[], $6::bigint[]) WITH ORDINALITY
           AS v (delay_us, reason, attempts, number)
         ON v.number = h.number
       WHERE ${ARE_HELD} AND d.position = h.position
       RETURNING d.position, h.lease`,
    [
      name,
      ...leaseArrays(given.map(({ ref }) => ref)),
      numberArray(delays),
      verdicts.map(({ reason }) => reasonText(reason)),
      numberArray(attempts),
    ],
  );
}

/** Where there is none, NULL. */
function numberArray(numbers: readonly (number | undefined)[]): Buffer {
  return fixedArray(INT8, numbers.length, 8, (into, at, i) => {
    const number = numbers[i];
    return number !== undefined && into.writeBigInt64BE(BigInt(number), at);
  });
}
