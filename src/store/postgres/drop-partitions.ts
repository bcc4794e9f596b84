import type { SqlClient } from './connection.ts';
import type { Partition } from './partition-list.ts';

/**
 * How a partition goes: *marked* by a comment, then *being detached*, *detached*, gone. Each step is a transaction of its own, so
 * whoever comes after a crash goes on from where it was. Without the mark nothing is dropped: a partition that an operator has
 * detached is the operator's.
 *
 * `DROP TABLE` alone would lock all of `events` against everybody, and wait in the way of all appends for whoever reads.
 * Detaching concurrently waits beside them.
 */
const MARK = 'retired by sekali';

/** Whether nothing is left in a partition that readers can see. All its positions must be settled. */
export async function isRetired(client: SqlClient, { table, end }: Partition): Promise<boolean> {
  const { rows } = await client.query({
    text: `SELECT NOT EXISTS (
             SELECT FROM sekali.topics t WHERE t.retired_before < $1::bigint AND EXISTS (
               SELECT FROM ${table} e WHERE e.topic_id = t.topic_id AND e.position >= t.retired_before)) AS retired`,
    values: [end],
  });
  return rows[0].retired as boolean;
}

/** Drops a partition. @throws when others are in the way for longer than the lock timeout: {@link finishDrops} goes on */
export async function dropPartition(client: SqlClient, { table }: Partition): Promise<void> {
  await client.query(`COMMENT ON TABLE ${table} IS '${MARK}'`);
  await client.query(`ALTER TABLE sekali.events DETACH PARTITION ${table} CONCURRENTLY`);
  await client.query(`DROP TABLE ${table}`);
}

/** Goes on with what was begun and not ended. */
export async function finishDrops(client: SqlClient): Promise<void> {
  const { rows } = await client.query({
    text: `SELECT 'sekali.' || quote_ident(c.relname), i.inhdetachpending IS NOT NULL
             FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
             WHERE c.relnamespace = 'sekali'::regnamespace AND c.relkind = 'r'
               AND obj_description(c.oid, 'pg_class') = '${MARK}' AND coalesce(i.inhdetachpending, true)`,
    rowMode: 'array',
  });
  for (const [table, isPending] of rows as [string, boolean][]) {
    if (isPending) await client.query(`ALTER TABLE sekali.events DETACH PARTITION ${table} FINALIZE`);
    await client.query(`DROP TABLE ${table}`);
  }
}
