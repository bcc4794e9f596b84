import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { carryOver } from './carry-over.ts';
import { sql as events } from './migrations/001-events.ts';
import { sql as blocks } from './migrations/002-blocks.ts';

export interface Migration {
  readonly sql: string;
  /** What SQL alone cannot do; after it. */
  readonly finish?: (db: DatabaseSync) => void;
}

/** In order; never changed once released, only added to. The number of a migration is its place in here, from 1. */
const MIGRATIONS: readonly Migration[] = [{ sql: events }, { sql: blocks, finish: carryOver }];

/** The schema that this program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the database to {@link SCHEMA_VERSION}, all or nothing. `BEGIN IMMEDIATE` takes the write lock before the
 * version is read, so of two that start together the second finds the work done.
 *
 * @throws SekaliError `schema_newer` when a newer program has written it
 */
export function migrate(db: DatabaseSync): void {
  migrateThrough(db, MIGRATIONS);
}

/** As {@link migrate}, of a database with migrations of its own. */
export function migrateThrough(db: DatabaseSync, migrations: readonly Migration[]): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = schemaVersion(db);
    if (version > migrations.length) {
      throw new SekaliError(
        'schema_newer',
        `the data has schema ${version}, this Sekali knows schemas up to ${migrations.length}: start a newer Sekali`,
      );
    }
    for (const migration of migrations.slice(version)) {
      db.exec(migration.sql);
      migration.finish?.(db);
    }
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}
