import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { REFUSED_NAME } from './refused-file.ts';
import { codeOf } from './spool-error.ts';

/**
 * What was refused or found damaged lies in the directory until a person takes it away, at any time. So these files are counted when it
 * matters, and not kept count of.
 *
 * @returns the bytes that they take
 */
export async function asideBytes(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((name) => name === REFUSED_NAME || name.endsWith('.damaged'));
  const sizes = await Promise.all(names.map((name) => sizeOf(join(dir, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
