import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SekaliError } from '../../errors.ts';
import { type BackupFailpoint, failpoint } from '../../failpoint.ts';
import { syncDirectory } from '../dedup/sync-directory.ts';
import { DataLock } from './data-lock.ts';

/** What the lock leaves in a directory. */
const LOCK_FILES = ['lock', 'owner'];

const UNFINISHED = 'unfinished';

/**
 * Fills a directory so that a crash leaves either all of it or nothing that counts: everything is written into `unfinished/`
 * below it, synced, and then moved up, the entry that makes it count last. Without that entry, what lies beside
 * `unfinished/` is a leftover, which the next try removes.
 *
 * It works inside of the directory, for that may be the root of a volume, which nothing can be renamed to.
 */
export class Staging {
  readonly #dir: string;
  readonly #entries: readonly string[];
  readonly #lock: DataLock;

  private constructor(dir: string, entries: readonly string[], lock: DataLock) {
    this.#dir = dir;
    this.#entries = entries;
    this.#lock = lock;
  }

  /**
   * @param entries names that the directory will have, the one that makes it count last
   * @throws SekaliError `config_invalid` when the directory has something else in it; `data_in_use`
   */
  static begin(dir: string, entries: readonly string[]): Staging {
    checkEmpty(dir, entries);
    const lock = DataLock.take(dir);
    const staging = new Staging(dir, entries, lock);
    try {
      checkEmpty(dir, entries);
      staging.#removeLeftovers();
      mkdirSync(staging.path(''));
      syncDirectory(dir);
      return staging;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Where to write an entry, or a file of one. */
  path(name: string): string {
    return join(this.#dir, UNFINISHED, name);
  }

  /** Everything has been written and synced. @param moving reached before each entry is moved */
  publish(moving: BackupFailpoint): void {
    syncDirectory(this.path(''));
    for (const name of this.#entries) {
      if (!existsSync(this.path(name))) continue;
      failpoint(moving);
      renameSync(this.path(name), join(this.#dir, name));
      syncDirectory(this.#dir);
    }
  }

  /** Removes what is unfinished, if anything is, and lets others have the directory. */
  end({ keepLock }: { keepLock: boolean }): void {
    const isWhole = existsSync(join(this.#dir, this.#entries.at(-1)!));
    if (isWhole) rmSync(this.path(''), { recursive: true, force: true });
    else this.#removeLeftovers();
    if (!keepLock) for (const name of LOCK_FILES) rmSync(join(this.#dir, name), { force: true });
    this.#lock.release();
  }

  #removeLeftovers(): void {
    if (!existsSync(this.path(''))) return;
    // The mark goes last: as long as it is there, the rest is known for a leftover.
    for (const name of this.#entries) rmSync(join(this.#dir, name), { recursive: true, force: true });
    rmSync(this.path(''), { recursive: true, force: true });
  }
}

function checkEmpty(dir: string, entries: readonly string[]): void {
  if (!existsSync(dir)) return;
  const names = readdirSync(dir);
  const isLeftover = names.includes(UNFINISHED) && !names.includes(entries.at(-1)!);
  const allowed = new Set([...LOCK_FILES, ...(isLeftover ? [UNFINISHED, ...entries] : [])]);
  const others = names.filter((name) => !allowed.has(name));
  if (others.length === 0) return;
  throw new SekaliError(
    'config_invalid',
    `${resolve(dir)} is not empty: it has ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}`,
  );
}
