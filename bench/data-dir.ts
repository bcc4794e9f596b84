import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory for a server's data. `BENCH_DIR` says on which disk. */
export class DataDir {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static make(name: string): DataDir {
    return new DataDir(mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), `bench-${name}-`)));
  }

  /** Bytes on the disk, by path below the directory. */
  sizes(): Record<string, number> {
    const entries = readdirSync(this.path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const sizes = files.sort().map((file) => [file.slice(this.path.length + 1), allocated(file)] as const);
    return Object.fromEntries(sizes);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What is allocated, in blocks of 512 bytes: a file may have been made larger than what is written of it. */
function allocated(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}
