/**
 * Brings a backup back as a data directory. Every file is held against the manifest while it is copied; the database is moved
 * into its place last, so a crash before that leaves a directory without a store, and one after it a whole one.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SekaliError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { syncDirectory } from '../dedup/sync-directory.ts';
import { type BackupFile, type BackupManifest, readManifest } from './backup-manifest.ts';
import { SUBSCRIPTION_FILE } from './connection.ts';
import { copyFile } from './copy-file.ts';
import { Staging } from './staging.ts';

export interface RestoreOptions {
  readonly backupDir: string;
  /** Made if it is missing; it must have no store, nor anything else. */
  readonly dataDir: string;
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * @throws SekaliError `config_invalid`: no backup, or the directory is not empty; `data_in_use`; `store_damaged`: the backup is
 *   not what was written, in which case nothing is left in the directory
 */
export function restoreStore({ backupDir, dataDir, onProgress = () => {} }: RestoreOptions): BackupManifest {
  const manifest = readManifest(backupDir);
  const staging = Staging.begin(dataDir, ['keys', SUBSCRIPTION_FILE, 'sekali.db']);
  try {
    failpoint('restore.begun');
    const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const file of manifest.files) {
      copyChecked(file, backupDir, staging, (bytes) => onProgress((done += bytes), total));
      failpoint('restore.file');
    }
    if (existsSync(staging.path('keys'))) syncDirectory(staging.path('keys'));
    staging.publish('restore.moving');
    failpoint('restore.done');
    return manifest;
  } finally {
    staging.end({ keepLock: true });
  }
}

function copyChecked(
  file: BackupFile,
  backupDir: string,
  staging: Staging,
  onBytes: (bytes: number) => void,
): void {
  const from = openFile(file, backupDir);
  try {
    mkdirSync(dirname(staging.path(file.name)), { recursive: true });
    const { bytes, sha256 } = copyFile(from, staging.path(file.name), onBytes);
    if (bytes !== file.bytes) throw damaged(file, `it has ${bytes} bytes instead of ${file.bytes}`);
    if (sha256 !== file.sha256) throw damaged(file, 'it does not have the SHA-256 that was written with it');
  } finally {
    closeSync(from);
  }
}

function openFile(file: BackupFile, backupDir: string): number {
  try {
    return openSync(join(backupDir, file.name), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(file, 'it is missing');
    throw error;
  }
}

function damaged({ name }: BackupFile, reason: string): SekaliError {
  return new SekaliError('store_damaged', `the backup is damaged: ${name}: ${reason}; nothing was restored`);
}
