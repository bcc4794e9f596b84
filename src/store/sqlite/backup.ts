/**
 * A copy of a store at one moment, also of one that a server is writing to.
 *
 * A snapshot (snapshot.ts) holds a read transaction, and the generation files of its manifest open. SQLite copies the database
 * page by page through that very connection, so all pages are of its transaction; then the transaction ends, for it keeps the
 * write-ahead log from beginning anew, and the generation files, which never change, are copied from where they are open.
 * Copies, not links: a link is the same bytes on the same disk.
 *
 * The subscriptions, if there are any, are a moment of their own, which begins before that of the events: so no cursor of the copy is
 * beyond its events.
 *
 * The copy is a data directory with a manifest beside it, `backup.json`: sizes and SHA-256 of every file. It comes last, and
 * a directory without it is no backup (staging.ts).
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { version } from '../../version.ts';
import { syncDirectory } from '../dedup/sync-directory.ts';
import {
  BACKUP_MANIFEST,
  type BackupFile,
  type BackupManifest,
  newManifest,
  writeManifest,
} from './backup-manifest.ts';
import { SUBSCRIPTION_FILE } from './connection.ts';
import { copyFile, syncAndSum } from './copy-file.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';
import { Staging } from './staging.ts';
import { holdSubscriptions } from './subscription-database.ts';

/** Pages that are copied between two chances to do something else: 16 MiB. */
const PAGES_AT_ONCE = 1024;

export interface BackupOptions {
  readonly dataDir: string;
  /** Made if it is missing; it must be empty. */
  readonly target: string;
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/** @throws SekaliError `config_invalid`: no store, or the target is not empty; `store_damaged`; `data_in_use`: the target */
export async function backupStore({
  dataDir,
  target,
  onProgress = () => {},
}: BackupOptions): Promise<BackupManifest> {
  const subscriptions = holdSubscriptions(dataDir);
  try {
    const snapshot = openSnapshot(dataDir, () => ({ open: (path) => openSync(path, 'r'), close: closeSync }));
    try {
      checkWhole(snapshot);
      const staging = Staging.begin(target, ['keys', SUBSCRIPTION_FILE, 'sekali.db', BACKUP_MANIFEST]);
      try {
        return await fill(staging, { subscriptions, snapshot }, onProgress);
      } finally {
        staging.end({ keepLock: false });
      }
    } finally {
      snapshot.close();
    }
  } finally {
    subscriptions?.close();
  }
}

interface Held {
  readonly subscriptions: DatabaseSync | undefined;
  readonly snapshot: Snapshot<number>;
}

function checkWhole({ generations }: Snapshot<number>): void {
  for (const { generation, failure } of generations) {
    if (failure === undefined) continue;
    throw new SekaliError(
      'store_damaged',
      `keys/${generation.name} cannot be read: start the server anew, which builds it from the log, and then make the backup`,
      { cause: failure },
    );
  }
}

async function fill(
  staging: Staging,
  { subscriptions, snapshot: { db, generations } }: Held,
  onProgress: (done: number, total: number) => void,
): Promise<BackupManifest> {
  failpoint('backup.begun');
  const takenAt = new Date();
  const files: BackupFile[] = [];
  // Little beside the events, and first, for its log cannot begin anew meanwhile.
  if (subscriptions !== undefined) files.push(await copySubscriptions(subscriptions, staging));
  const counters = db.prepare('SELECT last_position, unique_processed FROM counters').get();
  const databaseBytes = numberOf(db, 'page_count') * numberOf(db, 'page_size');
  const keysBytes = generations.reduce((sum, { generation }) => sum + generation.bytes, 0);
  const total = databaseBytes + keysBytes;
  await backup(db, staging.path('sekali.db'), {
    rate: PAGES_AT_ONCE,
    progress: ({ totalPages, remainingPages }) =>
      onProgress(databaseBytes * (1 - remainingPages / Math.max(1, totalPages)), total),
  });
  db.exec('COMMIT');
  leaveWalMode(staging.path('sekali.db'));
  failpoint('backup.database');

  files.push({ name: 'sekali.db', ...syncAndSum(staging.path('sekali.db'), () => {}) });
  let done = databaseBytes;
  for (const { generation, file } of generations) {
    const name = `keys/${generation.name}`;
    mkdirSync(dirname(staging.path(name)), { recursive: true });
    const sums = copyFile(file!, staging.path(name), (bytes) => onProgress((done += bytes), total));
    files.push({ name, ...sums });
    failpoint('backup.generation');
  }
  if (existsSync(staging.path('keys'))) syncDirectory(staging.path('keys'));
  const manifest = newManifest({
    sekali: version,
    taken_at: takenAt.toISOString(),
    last_position: Number(counters?.['last_position']),
    events: Number(counters?.['unique_processed']),
    files,
  });
  writeManifest(staging.path(BACKUP_MANIFEST), manifest);
  staging.publish('backup.moving');
  failpoint('backup.done');
  return manifest;
}

async function copySubscriptions(db: DatabaseSync, staging: Staging): Promise<BackupFile> {
  const path = staging.path(SUBSCRIPTION_FILE);
  await backup(db, path, { rate: PAGES_AT_ONCE });
  db.exec('COMMIT');
  leaveWalMode(path);
  failpoint('backup.subscriptions');
  return { name: SUBSCRIPTION_FILE, ...syncAndSum(path, () => {}) };
}

/** So that the copy is one file, which can be read where nothing can be written beside it. The server sets it again. */
function leaveWalMode(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}

function numberOf(db: DatabaseSync, pragma: 'page_count' | 'page_size'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
