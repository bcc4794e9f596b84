import type { SqlClient } from './connection.ts';
import { ROWS_A_BITE } from './delete-retired.ts';

/**
 * A key that has expired is no longer known, whether or not its row is there. It is deleted a while later, so that a group that has
 * seen it a moment ago, and waits, still finds it.
 */
const KEY_GRACE_S = 60;

/** For so long an entry of the queue may come again and is told from a new one. */
const ENTRY_DAYS = 7;

/** Deletes keys whose dedup window is over. @returns how many */
export async function deleteExpiredKeys(client: SqlClient): Promise<number> {
  return await deleteSome(
    client,
    'sekali.keys',
    'expires_at',
    `clock_timestamp() - make_interval(secs => ${KEY_GRACE_S})`,
  );
}

/** Deletes what is known of entries that were consumed long ago. @returns how many */
export async function deleteOldEntries(client: SqlClient): Promise<number> {
  return await deleteSome(
    client,
    'sekali.consumed_entries',
    'consumed_at',
    `clock_timestamp() - make_interval(days => ${ENTRY_DAYS})`,
  );
}

/**
 * Deletes the oldest rows. A row that an append has locked is left to the next bite: this waits for nobody, so it closes no
 * circle of those who wait.
 */
async function deleteSome(client: SqlClient, table: string, column: string, before: string): Promise<number> {
  const { rows } = await client.query(`
    WITH gone AS (
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM ${table} WHERE ${column} < ${before}
          ORDER BY ${column} LIMIT ${ROWS_A_BITE} FOR UPDATE SKIP LOCKED
      )) RETURNING 1)
    SELECT count(*)::int AS rows FROM gone`);
  return rows[0].rows as number;
}
