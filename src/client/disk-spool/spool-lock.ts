import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ClientError } from '../client-error.ts';
import { spoolFailed } from './spool-error.ts';

/**
 * One process owns a spool. The lock is an exclusive transaction on a file of its own, held open: the operating system lets go of it when
 * the process ends, however it ends. (Node has no flock; SQLite's own lock is one.)
 */
export class SpoolLock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** @throws ClientError `spool_in_use`, with the process that has it; `spool_failed` */
  static take(dir: string): SpoolLock {
    const ownerPath = join(dir, 'owner');
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(join(dir, 'lock'), { timeout: 0 });
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      writeOwner(ownerPath);
      return new SpoolLock(db);
    } catch (error) {
      db?.close();
      if (!isBusy(error)) throw spoolFailed(`${dir} cannot be locked`, error);
      throw new ClientError('spool_in_use', `${dir} is in use by ${readOwner(ownerPath)}`, {
        retryable: true,
        cause: error,
      });
    }
  }

  release(): void {
    this.#db.close();
  }
}

function writeOwner(path: string): void {
  try {
    writeFileSync(path, `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}\n`);
  } catch {
    // On a full disk a spool must open all the same, to be emptied; the name is only for a message.
  }
}

function readOwner(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim() || 'another process';
  } catch {
    return 'another process';
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
