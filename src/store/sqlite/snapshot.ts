import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import type { Generation } from '../dedup/generation.ts';
import { keysDir, openReader } from './connection.ts';
import { generationFiles, hasDatabase, refuseLost } from './lost-database.ts';
import { Manifest } from './manifest.ts';
import { SCHEMA_VERSION, schemaVersion } from './migrate.ts';

/** A server can merge generations away while they are being opened; that it does so again and again is no chance. */
const TRIES = 10;

/** A generation of the manifest, and its file as the caller opened it, or why it could not be. */
export interface HeldGeneration<File> {
  readonly generation: Generation;
  readonly file: File | undefined;
  readonly failure: unknown;
}

/**
 * One moment of a store, also of one that is written to meanwhile: a read transaction, and the generations that the manifest
 * names in it, all of them open. A file that is open can be read to its end, whether or not a merge has removed its name.
 *
 * While the transaction lasts, the write-ahead log cannot begin anew: it grows by what is written meanwhile.
 */
export interface Snapshot<File> {
  readonly db: DatabaseSync;
  readonly generations: readonly HeldGeneration<File>[];
  /** Files in `keys/` that the manifest does not name. Listed before the transaction began, so none is of a later moment. */
  readonly orphans: readonly string[];
  close(): void;
}

/** How a snapshot opens the file of a generation; what it throws is kept as the failure of a file that really is so. */
export interface FileOpener<File> {
  open(path: string): File;
  close(file: File): void;
}

/**
 * @throws SekaliError `config_invalid`: there is no store; `store_damaged`: its database is lost or no database;
 *   `schema_newer`; `store_unavailable`: its generations changed faster than they could be opened
 */
export function openSnapshot<File>(
  dataDir: string,
  openerFor: (db: DatabaseSync) => FileOpener<File>,
): Snapshot<File> {
  refuseLost(dataDir);
  if (!hasDatabase(dataDir))
    throw new SekaliError('config_invalid', `there is no store in ${resolve(dataDir)}`);
  for (let tries = 0; tries < TRIES; tries++) {
    const names = generationFiles(dataDir);
    const db = openReader(dataDir);
    const held: HeldGeneration<File>[] = [];
    let opener: FileOpener<File> | undefined;
    const close = () => {
      for (const { file } of held) if (file !== undefined) opener?.close(file);
      db.close();
    };
    try {
      db.exec('BEGIN');
      const generations = manifestOf(db, dataDir);
      opener = openerFor(db);
      if (holdAll(dataDir, generations, held, opener)) {
        const named = new Set(generations.map(({ name }) => name));
        return { db, generations: held, orphans: names.filter((name) => !named.has(name)), close };
      }
    } catch (error) {
      close();
      throw error;
    }
    close();
  }
  throw new SekaliError(
    'store_unavailable',
    'generations of keys were replaced faster than they could be opened',
  );
}

/** @returns false when one is gone because the manifest has gone on */
function holdAll<File>(
  dataDir: string,
  generations: readonly Generation[],
  held: HeldGeneration<File>[],
  opener: FileOpener<File>,
): boolean {
  for (const generation of generations) {
    try {
      const file = opener.open(join(keysDir(dataDir), generation.name));
      held.push({ generation, file, failure: undefined });
    } catch (failure) {
      if (!isStillNamed(dataDir, generation)) return false;
      held.push({ generation, file: undefined, failure });
    }
  }
  return true;
}

/** A look at the present state, from a connection beside the one that holds an older one. */
function isStillNamed(dataDir: string, { name }: Generation): boolean {
  const db = openReader(dataDir);
  try {
    return db.prepare('SELECT 1 FROM generations WHERE name = ?').get(name) !== undefined;
  } finally {
    db.close();
  }
}

function manifestOf(db: DatabaseSync, dataDir: string): Generation[] {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) {
    throw new SekaliError(
      'schema_newer',
      `the data has schema ${version}, this Sekali knows schemas up to ${SCHEMA_VERSION}: use a newer Sekali`,
    );
  }
  if (version < SCHEMA_VERSION) {
    throw new SekaliError(
      'config_invalid',
      `${resolve(dataDir)} has schema ${version}, of an older Sekali: start the server on it once, which brings it to ${SCHEMA_VERSION}`,
    );
  }
  return new Manifest(db).generations();
}
