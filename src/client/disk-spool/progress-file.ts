import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Place } from './group.ts';
import { codeOf } from './spool-error.ts';

export interface Progress extends Place {
  /** Number of the segment. */
  readonly segment: number;
}

/**
 * How far the events are settled. It is not synced, for it need not be there: without it what is left of a segment is sent from its
 * beginning, and is a duplicate at the server. It never tells more than was settled, so whatever a crash leaves of it is sound.
 */
export class ProgressFile {
  readonly #path: string;
  #handle: FileHandle | undefined;

  constructor(dir: string) {
    this.#path = join(dir, 'progress');
  }

  /** Rejects when it is there and cannot be read: to go on without it would give the numbers again that it tells of. */
  async read(): Promise<Progress | undefined> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    });
    const [, told = '', segment, offset, index, crc] =
      /^((\d{16}) (\d{16}) (\d{10})) (\d{10})\n$/.exec(text) ?? [];
    if (crc32(told) !== Number(crc)) return undefined;
    return { segment: Number(segment), offset: Number(offset), index: Number(index) };
  }

  /** Never rejects: where it cannot be written, more is sent again. */
  async write({ segment, offset, index }: Progress): Promise<void> {
    const told = `${digits(segment, 16)} ${digits(offset, 16)} ${digits(index, 10)}`;
    try {
      this.#handle ??= await open(this.#path, 'w', 0o600);
      await this.#handle.write(`${told} ${digits(crc32(told), 10)}\n`, 0);
    } catch {
      // As above.
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, '0');
}
