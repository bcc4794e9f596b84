import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Instant } from '../../instant.ts';
import { LineReader, type LineReaderOptions, type ReaderPosition } from './line-reader.ts';

const CHUNK_BYTES = 256 * 1024;

/** What lies before the place of reading and is looked at again before going on: more than chance makes equal. */
const TAIL_BYTES = 4096;

/**
 * One file that is open, by its handle: renamed or deleted, it is still the same. Knows how far it was read; what was
 * read is in its {@link LineReader}.
 */
export class LogFile {
  /** Where it lay when it was opened. */
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #options: LineReaderOptions;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #reader: LineReader;
  #readTo = 0;
  #tail = Buffer.alloc(0);
  #stats: BigIntStats;

  private constructor(path: string, handle: FileHandle, options: LineReaderOptions, stats: BigIntStats) {
    this.path = path;
    this.#handle = handle;
    this.#options = options;
    this.#reader = new LineReader(options);
    this.#stats = stats;
  }

  /** @throws what `open` throws when there is no such file, or it must not be read */
  static async open(path: string, options: LineReaderOptions): Promise<LogFile> {
    const handle = await open(path, 'r');
    return new LogFile(path, handle, options, await handle.stat({ bigint: true }));
  }

  get reader(): LineReader {
    return this.#reader;
  }

  /** When it was written last, as of the last look at it. */
  get written(): Instant {
    return Number(this.#stats.mtimeNs / 1000n);
  }

  isAt({ dev, ino }: BigIntStats): boolean {
    return this.#stats.dev === dev && this.#stats.ino === ino;
  }

  wasBegunBefore(stats: BigIntStats): boolean {
    return compareAges(this.#stats, stats) < 0;
  }

  /**
   * Goes to a position without reading its lines again, if the file begins with the same bytes up to there. All of them
   * are read and hashed: a file that only looks like the old one (same size, same last line) would lose its beginning.
   *
   * @returns whether the file is at the position; if not, it is at its start
   */
  async resume({ offset, sha256 }: ReaderPosition, stop: AbortSignal): Promise<boolean> {
    const reader = new LineReader(this.#options);
    while (this.#readTo < offset) {
      if (stop.aborted) break;
      const bytes = await this.#readChunk(offset - this.#readTo);
      if (bytes === undefined) break;
      reader.skip(bytes);
    }
    if (this.#readTo === offset && reader.position.sha256 === sha256) {
      this.#reader = reader;
      return true;
    }
    this.restart();
    return false;
  }

  /** To the start, for the content that is there now. */
  restart(): void {
    this.#reader = new LineReader(this.#options);
    this.#readTo = 0;
    this.#tail = Buffer.alloc(0);
  }

  /** @returns the next bytes, good until the next read; undefined at the end of the file, for now */
  async read(): Promise<Buffer | undefined> {
    return await this.#readChunk(CHUNK_BYTES);
  }

  /**
   * Looks at the file again.
   *
   * `grown`: there may be more to read. `rewritten`: what lies before the place of reading is not what was read there,
   * or nothing is; it was truncated, and may be longer again already.
   */
  async look(): Promise<'same' | 'grown' | 'rewritten'> {
    const before = this.#stats;
    this.#stats = await this.#handle.stat({ bigint: true });
    const isSame = Number(this.#stats.size) === this.#readTo && this.#stats.mtimeNs === before.mtimeNs;
    if (isSame) return 'same';
    return (await this.#hasTail()) ? 'grown' : 'rewritten';
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readChunk(bytesMax: number): Promise<Buffer | undefined> {
    const length = Math.min(bytesMax, CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(this.#chunk, 0, length, this.#readTo);
    if (bytesRead === 0) return undefined;
    const bytes = this.#chunk.subarray(0, bytesRead);
    this.#readTo += bytesRead;
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    return bytes;
  }

  async #hasTail(): Promise<boolean> {
    const there = Buffer.alloc(this.#tail.length);
    const { bytesRead } = await this.#handle.read(there, 0, there.length, this.#readTo - there.length);
    return bytesRead === there.length && there.equals(this.#tail);
  }
}

/**
 * Which file was begun first: by when they were made, and where the file system does not know that (or knows it too
 * coarsely), by when they were written last. That alone would not do: a file may be written to after it was replaced.
 */
export function compareAges(left: BigIntStats, right: BigIntStats): number {
  return Number(left.birthtimeNs - right.birthtimeNs) || Number(left.mtimeNs - right.mtimeNs);
}
