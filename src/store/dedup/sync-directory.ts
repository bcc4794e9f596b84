import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Brings to the disk what was made, renamed or removed in a directory. */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
