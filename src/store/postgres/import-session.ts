import { SekaliError } from '../../errors.ts';
import { LongTransaction } from './long-transaction.ts';
import { migrate } from './migrate.ts';

/** Tables that stand for "something has been stored, or counted". */
const FILLED = [
  'topics',
  'events',
  'keys',
  'dead_letters',
  'consumed_entries',
  'consumed_counts',
  // Their cursors are of the positions that are there.
  'subscriptions',
];

/**
 * Opens the transaction of an import: all of it is in one, so that it is there or not there. The tables of secrets and keys are
 * locked against everybody: who starts meanwhile waits, and finds the secrets that were imported.
 *
 * @throws SekaliError `config_invalid`: the store is not empty; `data_in_use`: a server is connected, and would go on with
 *   the secrets it has read
 */
export async function openImport(databaseUrl: string): Promise<LongTransaction> {
  const session = await LongTransaction.open(databaseUrl, 'BEGIN', async (client) => {
    await migrate(client);
  });
  try {
    await session.query(
      "SET LOCAL lock_timeout = '10s'; LOCK TABLE sekali.meta, sekali.keys IN ACCESS EXCLUSIVE MODE",
    );
    await refuseOthers(session);
    await refuseFilled(session);
    // The index of keys is built once all are there: random keys one by one would hit a page each.
    await session.query(`
      SET LOCAL maintenance_work_mem = '256MB';
      ALTER TABLE sekali.keys DROP CONSTRAINT keys_pkey`);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function refuseOthers(session: LongTransaction): Promise<void> {
  const { rows } = await session.query(`
    SELECT count(*)::int AS others FROM pg_catalog.pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'sekali%' AND pid <> pg_backend_pid()`);
  const { others } = rows[0] as { others: number };
  if (others === 0) return;
  throw new SekaliError(
    'data_in_use',
    `${others} connections of Sekali are open to this database: stop its servers, and import again`,
  );
}

async function refuseFilled(session: LongTransaction): Promise<void> {
  const found = FILLED.map((table) => `EXISTS (SELECT 1 FROM sekali.${table})`).join(' OR ');
  const { rows } = await session.query(`SELECT ${found} AS filled`);
  if (!(rows[0] as { filled: boolean }).filled) return;
  throw new SekaliError(
    'config_invalid',
    'the database has a store that is not empty: an import needs one into which nothing was ever published, and that has no subscription',
  );
}
