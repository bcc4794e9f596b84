import type { Sql } from './sql-pool.ts';
import { hexOf } from './subscription-values.ts';

/** A subscription whose row is locked. */
export interface Locked {
  readonly id: string;
  readonly version: string;
}

/**
 * Who changes a subscription as a whole (hands out, moves its cursor, removes it, redrives, puts) locks its row first, and so comes
 * after whoever does that already. Who settles leases (subscription-settling.ts) never does, so that it waits for none of them.
 *
 * **No deadlock**: the holder of that lock meets the others at rows of `deliveries` alone. What a hand-out takes of those it takes
 * only if nobody has it, or they are its own; all others, settlers included, lock them in the order of their positions.
 *
 * @returns undefined when there is none of this name. The row is as those have left it who were waited for; what they have done to
 *   others is seen by the statements after it, for this one may have begun with a snapshot from before.
 */
export async function lockSubscription(sql: Sql, name: string): Promise<Locked | undefined> {
  const [row] = await sql(
    'SELECT subscription_id, version FROM sekali.subscriptions WHERE name = $1 FOR NO KEY UPDATE',
    [name],
  );
  return row && { id: row[0]!, version: hexOf(row[1]!) };
}

/** One transaction. One that fails is not rolled back here: its connection is given up, and everything with it. */
export async function inTransaction<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  await sql('BEGIN');
  const result = await work();
  await sql('COMMIT');
  return result;
}

/**
 * Gives up what is outstanding of a subscription whose row is locked. In the order of the positions, in which those lock them who
 * settle them.
 */
export async function giveUpOutstanding(sql: Sql, subscriptionId: string): Promise<void> {
  await sql(
    `DELETE FROM sekali.deliveries WHERE subscription_id = $1 AND position = ANY (ARRAY (
       SELECT position FROM sekali.deliveries WHERE subscription_id = $1 AND died_at IS NULL
         ORDER BY position FOR UPDATE))`,
    [subscriptionId],
  );
}
