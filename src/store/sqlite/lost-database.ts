import { existsSync, readdirSync, statSync } from 'node:fs';
import { SekaliError } from '../../errors.ts';
import { idOf } from '../dedup/generation.ts';
import { databasePath, keysDir, subscriptionPath } from './connection.ts';

/** Whether there is a database. An empty or missing one would be taken for a new store: see {@link refuseLost}. */
export function hasDatabase(dataDir: string): boolean {
  return isFilled(databasePath(dataDir));
}

/**
 * Refuses to take a store for new whose database is lost.
 *
 * @throws SekaliError `store_damaged` when there is no database, but something that only a store leaves behind
 */
export function refuseLost(dataDir: string): void {
  if (hasDatabase(dataDir) || !holdsRemains(dataDir)) return;
  const state = existsSync(databasePath(dataDir)) ? 'empty' : 'missing';
  throw new SekaliError(
    'store_damaged',
    `sekali.db is ${state}, and other files of a store are there: restore a backup`,
    { file: 'sekali.db' },
  );
}

function holdsRemains(dataDir: string): boolean {
  const wal = `${databasePath(dataDir)}-wal`;
  return generationFiles(dataDir).length > 0 || [wal, subscriptionPath(dataDir)].some(isFilled);
}

function isFilled(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0;
}

/** Files of generations; what has another kind of name is not ours. */
export function generationFiles(dataDir: string): string[] {
  const dir = keysDir(dataDir);
  return existsSync(dir) ? readdirSync(dir).filter((name) => idOf(name) !== undefined) : [];
}
