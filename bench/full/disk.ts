import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DataDir } from '../data-dir.ts';

export interface DiskFigures {
  readonly files: Readonly<Record<string, number>>;
  readonly totalBytes: number;
  /** Files of the key index. */
  readonly indexBytes: number;
  /** The log of keys that the index is made from, in the database. */
  readonly keyLogBytes: number;
  /** Both, for each key: what remembering costs beyond the event itself. */
  readonly bytesPerKey: number;
}

/** What lies in the data directory of a server, running or not. */
export function measureDisk(dataDir: DataDir, keys: number): DiskFigures {
  const files = dataDir.sizes();
  const sum = (those: (name: string) => boolean) =>
    Object.entries(files).reduce((total, [name, bytes]) => total + (those(name) ? bytes : 0), 0);
  // Whatever is neither the database nor the lock is there for the keys.
  const indexBytes = sum((name) => !/^(sekali\.db(-wal|-shm)?|lock(-journal)?|owner)$/.test(name));
  const keyLogBytes = keyLogBytesOf(dataDir);
  return {
    files,
    totalBytes: sum(() => true),
    indexBytes,
    keyLogBytes,
    bytesPerKey: Math.round((10 * (indexBytes + keyLogBytes)) / keys) / 10,
  };
}

/** All pages of the table `keys`, what is free on them included. */
function keyLogBytesOf(dataDir: DataDir): number {
  const db = new DatabaseSync(join(dataDir.path, 'sekali.db'), { readOnly: true });
  try {
    const row = db.prepare(`SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = 'keys'`).get();
    return Number(row?.['bytes']);
  } finally {
    db.close();
  }
}
