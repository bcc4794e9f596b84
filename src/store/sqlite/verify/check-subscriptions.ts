import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../../errors.ts';
import { messageOf } from '../../../message-of.ts';
import { SUBSCRIPTION_FILE } from '../connection.ts';
import { holdSubscriptions } from '../subscription-database.ts';
import { type FaultList, MEND } from './fault.ts';

/** Counts of a subscription that are not those of its rows. */
const MISCOUNTED = `
  SELECT name FROM subscriptions AS s WHERE
    leased <> (SELECT count(lease) FROM outstanding AS o WHERE o.subscription_id = s.subscription_id) OR
    leased + waiting <> (SELECT count(*) FROM outstanding AS o WHERE o.subscription_id = s.subscription_id) OR
    dead <> (SELECT count(*) FROM dead AS d WHERE d.subscription_id = s.subscription_id)`;

/**
 * One moment of the subscriptions, if there are any: SQLite's own check of the file, and whether counts and rows agree.
 *
 * @throws SekaliError `schema_newer`, `store_unavailable`
 */
export function checkSubscriptions(dataDir: string, faults: FaultList): void {
  const tell = (what: string) =>
    faults.add('subscriptions', { where: SUBSCRIPTION_FILE, what, mend: MEND.removeSubscriptions });
  let db: DatabaseSync | undefined;
  try {
    db = holdSubscriptions(dataDir);
    if (db === undefined) return;
    const told = faults.count;
    for (const row of db.prepare('PRAGMA integrity_check(100)').iterate()) {
      const what = String(row['integrity_check']);
      if (what !== 'ok') tell(what.replaceAll('\n', ' '));
    }
    if (faults.count > told) return;
    for (const { name } of db.prepare(MISCOUNTED).iterate()) {
      tell(`subscription ${JSON.stringify(name)} does not have as many rows as it counts`);
    }
  } catch (error) {
    if (error instanceof SekaliError && error.code !== 'store_damaged') throw error;
    tell(messageOf(error));
  } finally {
    db?.close();
  }
}
