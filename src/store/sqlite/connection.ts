import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** The file of the store in its data directory. */
export function databasePath(dataDir: string): string {
  return join(dataDir, 'sekali.db');
}

export const SUBSCRIPTION_FILE = 'subscriptions.db';

/** The file of subscriptions: not that of the events, for their commits must not wait for one another. */
export function subscriptionPath(dataDir: string): string {
  return join(dataDir, SUBSCRIPTION_FILE);
}

/** Where the generations of the key index lie. */
export function keysDir(dataDir: string): string {
  return join(dataDir, 'keys');
}

/**
 * 16 KiB: 497,000 rows a second against 454,000 with SQLite's default of 4 KiB (the append alone, medians of 5, events of
 * 290 bytes). Set once, when the file is made.
 */
const PAGE_BYTES = 16_384;

/** 64 MiB of write-ahead log before it is folded back: a checkpoint costs two fsyncs and is paid by the group it meets. */
const CHECKPOINT_PAGES = 4096;

/**
 * Opens the one connection that writes.
 *
 * `synchronous=FULL`: in WAL mode, SQLite's NORMAL does not sync the log at a commit, and a power failure may take
 * acknowledged events. `fullfsync` makes a sync reach the platter on macOS, where fsync does not.
 */
export function openWriter(dataDir: string): DatabaseSync {
  makeDirectory(dataDir);
  const db = new DatabaseSync(databasePath(dataDir), { timeout: 5000 });
  db.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${2 * CHECKPOINT_PAGES * PAGE_BYTES};
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
  `);
  return db;
}

/** Opens a connection that folds the log of a database that is there, beside the writer; it makes no file where there is none. */
export function openFolder(dataDir: string): DatabaseSync {
  const url = pathToFileURL(databasePath(dataDir));
  url.searchParams.set('mode', 'rw'); // SQLite's own way to leave out "create"
  const db = new DatabaseSync(url, { timeout: 5000 });
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA trusted_schema = OFF;
  `);
  return db;
}

/** Opens a connection that reads beside the writer; the file must exist. */
export function openReader(dataDir: string): DatabaseSync {
  const db = new DatabaseSync(databasePath(dataDir), { readOnly: true, timeout: 5000 });
  db.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;');
  return db;
}

/** Makes the directory, and its name durable: else a power failure may take the directory with all that is in it. */
function makeDirectory(dataDir: string): void {
  if (mkdirSync(dataDir, { recursive: true }) === undefined) return;
  const parent = openSync(dirname(dataDir), 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}
