import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SekaliError } from '../../errors.ts';
import type { FileSums } from './copy-file.ts';

/** The file that makes a directory a backup: it is there only once all of the others are. */
export const BACKUP_MANIFEST = 'backup.json';

const FORMAT = 1;

/** Nothing but these may be in a backup: a name is joined to a path. */
const FILE_NAME = /^(?:sekali\.db|subscriptions\.db|keys\/[a-z]+-\d+-\d+-[0-9a-f]{16}\.keys)$/;

export interface BackupFile extends FileSums {
  /** Relative to the directory, with `/`. */
  readonly name: string;
}

export interface BackupManifest {
  readonly format: typeof FORMAT;
  /** The version of Sekali that made it. */
  readonly sekali: string;
  /** When its moment was, RFC 3339. */
  readonly taken_at: string;
  readonly last_position: number;
  readonly events: number;
  readonly files: readonly BackupFile[];
}

export function newManifest(content: Omit<BackupManifest, 'format'>): BackupManifest {
  return { format: FORMAT, ...content };
}

export function writeManifest(path: string, manifest: BackupManifest): void {
  const fd = openSync(path, 'wx');
  try {
    writeFileSync(fd, `${JSON.stringify(manifest, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @throws SekaliError `config_invalid` when there is no backup; `store_damaged` when its manifest is none */
export function readManifest(dir: string): BackupManifest {
  let text: string;
  try {
    text = readFileSync(join(dir, BACKUP_MANIFEST), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SekaliError(
      'config_invalid',
      `${resolve(dir)} is no backup: it has no ${BACKUP_MANIFEST}, which a backup gets when it is complete`,
    );
  }
  const manifest = parse(text);
  if (!isManifest(manifest)) {
    throw new SekaliError(
      'store_damaged',
      `${BACKUP_MANIFEST} is damaged, or of a newer Sekali: use another backup`,
    );
  }
  return manifest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is BackupManifest {
  if (typeof value !== 'object' || value === null) return false;
  const { format, files } = value as Partial<BackupManifest>;
  return (
    format === FORMAT &&
    Array.isArray(files) &&
    files.every(isFile) &&
    files.some(({ name }) => name === 'sekali.db')
  );
}

function isFile(value: unknown): value is BackupFile {
  const { name, bytes, sha256 } = (value ?? {}) as Partial<BackupFile>;
  return (
    typeof name === 'string' &&
    FILE_NAME.test(name) &&
    typeof bytes === 'number' &&
    typeof sha256 === 'string'
  );
}
