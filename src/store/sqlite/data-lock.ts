import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';

/**
 * One process owns a data directory. The lock is an exclusive transaction on a file of its own, held open: the operating
 * system lets go of it when the process ends, however it ends, so a kill leaves nothing to clean up. (Node has no flock;
 * SQLite's own lock is one. It is not put on the store's file, for a backup or a look from outside may read that.)
 */
export class DataLock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** @throws SekaliError `data_in_use`, with the process that has it; `store_unavailable` when it cannot be written */
  static take(dataDir: string): DataLock {
    mkdirSync(dataDir, { recursive: true });
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      writeFileSync(
        ownerPath(dataDir),
        `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}\n`,
      );
      return new DataLock(db);
    } catch (error) {
      db?.close();
      if (isBusy(error)) {
        throw new SekaliError('data_in_use', `${resolve(dataDir)} is in use by ${readOwner(dataDir)}`, {
          cause: error,
        });
      }
      const reason = messageOf(error);
      throw new SekaliError('store_unavailable', `${resolve(dataDir)} cannot be locked: ${reason}`, {
        cause: error,
      });
    }
  }

  release(): void {
    this.#db.close();
  }
}

function ownerPath(dataDir: string): string {
  return join(dataDir, 'owner');
}

function readOwner(dataDir: string): string {
  try {
    return readFileSync(ownerPath(dataDir), 'utf8').trim();
  } catch {
    return 'another process';
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
