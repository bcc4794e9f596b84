import type { DeadEvent, DeadSelection } from '../subscription-store.ts';
import { isStorable } from './read-events.ts';
import type { Sql } from './sql-pool.ts';
import { msColumn } from './subscription-columns.ts';
import { inTransaction, lockSubscription } from './subscription-lock.ts';
import { positionArray } from './subscription-values.ts';

/** By position. */
export async function readDead(
  sql: Sql,
  name: string,
  { after, limit }: { after: number; limit: number },
): Promise<DeadEvent[]> {
  const rows = await sql(
    `SELECT position, topic, attempts, reason, ${msColumn('died_at')} FROM sekali.deliveries
       WHERE subscription_id = (SELECT subscription_id FROM sekali.subscriptions WHERE name = $1)
         AND died_at IS NOT NULL AND position > $2::bigint
       ORDER BY position LIMIT $3`,
    [name, after, limit],
  );
  return rows.map(([position, topic, attempts, reason, diedAtMs]) => ({
    position: Number(position),
    topic: topic!,
    attempts: Number(attempts),
    reason: reason ?? '',
    diedAtMs: Number(diedAtMs),
  }));
}

/** Under the lock of the subscription: who settles leases never touches what is dead, so there is nobody else to meet. */
export async function redrive(sql: Sql, name: string, which: DeadSelection): Promise<number> {
  return await changeDead(
    sql,
    name,
    which,
    (condition) => `UPDATE sekali.deliveries
      SET attempts = 0, due_at = clock_timestamp(), reason = NULL, died_at = NULL WHERE ${condition}`,
  );
}

export async function discard(sql: Sql, name: string, which: DeadSelection): Promise<number> {
  return await changeDead(
    sql,
    name,
    which,
    (condition) => `DELETE FROM sekali.deliveries WHERE ${condition}`,
  );
}

async function changeDead(
  sql: Sql,
  name: string,
  which: DeadSelection,
  change: (condition: string) => string,
): Promise<number> {
  return await inTransaction(sql, async () => {
    const locked = await lockSubscription(sql, name);
    if (locked === undefined) return 0;
    const [condition, values] = conditionOf(which);
    const rows = await sql(
      `WITH changed AS (
         ${change(`subscription_id = $1 AND died_at IS NOT NULL ${condition}`)} RETURNING 1
       ) SELECT count(*) FROM changed`,
      [locked.id, ...values],
    );
    return Number(rows[0]![0]);
  });
}

function conditionOf(which: DeadSelection): [sql: string, values: unknown[]] {
  if ('positions' in which) return ['AND position = ANY ($2::bigint[])', [positionArray(which.positions)]];
  if (!isStorable(which.topic)) return ['AND false', []];
  return which.topic === undefined ? ['', []] : ['AND topic = $2', [which.topic]];
}
