import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Whether a process holds the lock of a data directory (data-lock.ts), found out without taking it or writing anything. */
export function isInUse(dataDir: string): boolean {
  const path = join(dataDir, 'lock');
  if (!existsSync(path)) return false;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return error instanceof Error && 'errcode' in error && error.errcode === 5; // SQLITE_BUSY
  } finally {
    db.close();
  }
}
