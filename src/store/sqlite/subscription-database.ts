import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { SUBSCRIPTION_FILE, subscriptionPath } from './connection.ts';
import { type Migration, migrateThrough, schemaVersion } from './migrate.ts';
import { sql as subscriptions } from './migrations/subscriptions/001-subscriptions.ts';

/** In order; never changed once released, only added to: as those of the events (migrate.ts). */
const MIGRATIONS: readonly Migration[] = [{ sql: subscriptions }];

function hasSubscriptions(dataDir: string): boolean {
  return existsSync(subscriptionPath(dataDir));
}

/** 16 MiB of write-ahead log: nearly all of it is pages that were written again and again, so folding it is little work. */
const CHECKPOINT_PAGES = 4096;

/**
 * Opens the one connection that writes, and settles what an earlier one left in the log by folding all of it: after an fsync that
 * failed, only that tells what is stored (sqlite-store.ts).
 *
 * @throws SekaliError `schema_newer`; `store_damaged`; `store_unavailable`
 */
export function openSubscriptionWriter(dataDir: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(subscriptionPath(dataDir), { timeout: 5000 });
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${2 * CHECKPOINT_PAGES * 4096};
      PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF;
    `);
    migrateThrough(db, MIGRATIONS);
    if (db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] !== 0) {
      throw new SekaliError('store_unavailable', `${SUBSCRIPTION_FILE} is being read by another process`);
    }
    return db;
  } catch (error) {
    db?.close();
    throw explained(error);
  }
}

/** Opens a connection that reads beside the writer; the file must exist. */
function openSubscriptionReader(dataDir: string): DatabaseSync {
  const db = new DatabaseSync(subscriptionPath(dataDir), { readOnly: true, timeout: 5000 });
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;');
  return db;
}

/**
 * One moment of the subscriptions: a connection with a transaction that reads; undefined when there are none yet.
 *
 * @throws SekaliError `schema_newer`; `store_damaged`; `store_unavailable`
 */
export function holdSubscriptions(dataDir: string): DatabaseSync | undefined {
  if (!hasSubscriptions(dataDir)) return undefined;
  const db = openSubscriptionReader(dataDir);
  try {
    db.exec('BEGIN');
    const version = schemaVersion(db); // with the first read its moment is set
    if (version > MIGRATIONS.length) {
      throw new SekaliError(
        'schema_newer',
        `${SUBSCRIPTION_FILE} has schema ${version}, this Sekali knows schemas up to ${MIGRATIONS.length}: use a newer Sekali`,
      );
    }
    if (version > 0) return db;
    db.close();
    return undefined;
  } catch (error) {
    db.close();
    throw explained(error);
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function explained(error: unknown): unknown {
  if (error instanceof SekaliError || !(error instanceof Error)) return error;
  const code = 'errcode' in error ? error.errcode : undefined;
  if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) {
    return new SekaliError('store_unavailable', `${SUBSCRIPTION_FILE}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return new SekaliError(
    'store_damaged',
    `${SUBSCRIPTION_FILE} is damaged (${messageOf(error)}): restore a backup, or remove it, and all subscriptions with it`,
    { file: SUBSCRIPTION_FILE, cause: error },
  );
}
