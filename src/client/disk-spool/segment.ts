import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from './append-file.ts';
import { soundEnd } from './group.ts';
import { HEAD_BYTES, printHead, readHead } from './segment-head.ts';
import { codeOf } from './spool-error.ts';

/** A file of the spool: written from its beginning to its end, then only read, then removed. */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** Whether a copy is kept when it goes: it was found damaged. */
  isSetAside = false;
  #size: number;
  /** Whether that is known to be its end: its file may be longer or shorter. */
  #isEndKnown = false;
  #isShort = false;
  #file: AppendFile | undefined;
  #reading: FileHandle | undefined;

  private constructor(dir: string, number: number, size = 0, file?: AppendFile) {
    this.number = number;
    this.path = pathOf(dir, number);
    this.#size = size;
    this.#file = file;
  }

  /** One that an earlier process has left. */
  static left(dir: string, number: number, size: number): Segment {
    return new Segment(dir, number, size);
  }

  static async create(dir: string, number: number): Promise<Segment> {
    const segment = new Segment(dir, number, 0, await AppendFile.open(pathOf(dir, number), 'w+'));
    segment.#isEndKnown = true;
    return segment;
  }

  /** Bytes that are on the disk. */
  get end(): number {
    return this.#file?.end ?? this.#size;
  }

  /** Whether more may be written to it. */
  get isOpen(): boolean {
    return this.#file?.isSound ?? false;
  }

  /** Whether its file ends before it does: some of it is lost. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Whether there is more in it than its head. */
  get hasGroups(): boolean {
    return this.end > HEAD_BYTES;
  }

  /**
   * Writes and syncs. When it rejects, nothing was written.
   *
   * @param endBefore of the segment before it, for the head
   */
  async append(bytes: Buffer, endBefore: number): Promise<void> {
    await this.#file?.append(this.end === 0 ? Buffer.concat([printHead(endBefore), bytes]) : bytes);
  }

  /** Nothing more is written to it. */
  async finish(): Promise<void> {
    const file = this.#file;
    this.#size = this.end;
    this.#file = undefined;
    // What is in it is synced: a close that fails takes nothing of it.
    await file?.close().catch(() => undefined);
  }

  /** @returns where the segment before it ended; undefined when that cannot be told any more */
  async endBefore(): Promise<number | undefined> {
    return readHead(await this.read(0, HEAD_BYTES));
  }

  /** Takes note of where it ended, as the segment behind it tells. What is behind that was never taken. */
  async learnEnd(next: Segment): Promise<void> {
    if (this.#isEndKnown) return;
    const end = (await next.endBefore()) ?? this.#size;
    this.#isShort = end > this.#size;
    this.#size = Math.min(end, this.#size);
    this.#isEndKnown = true;
  }

  /** Of the last one: cuts off what a crash has left unfinished, and syncs what it may have left unsynced. */
  async recover(): Promise<void> {
    this.#size = soundEnd(await this.read(0, this.#size));
    this.#isEndKnown = true;
    const handle = await open(this.path, 'r+');
    try {
      await handle.truncate(this.#size);
      await handle.datasync();
    } catch {
      // Where it ends is known all the same, and the next segment will tell.
    } finally {
      await handle.close();
    }
  }

  async read(from: number, to: number): Promise<Buffer> {
    this.#reading ??= await open(this.path, 'r');
    const bytes = Buffer.allocUnsafe(to - from);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.#reading.read(bytes, done, bytes.length - done, from + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  /** Keeps it under another name, for whoever wants to look at it. */
  async setAside(): Promise<void> {
    const aside = this.path.replace(/\.spool$/, '.damaged');
    try {
      await link(this.path, aside);
    } catch (error) {
      // Not every file system has links.
      if (codeOf(error) !== 'EEXIST') await copyFile(this.path, aside, constants.COPYFILE_FICLONE);
    }
    this.isSetAside = true;
  }

  async remove(): Promise<void> {
    await this.close();
    await unlink(this.path).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }

  async close(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.close();
    await this.finish();
  }
}

/** @returns its number, when a file of this name is one */
export function segmentNumber(name: string): number | undefined {
  const [, digits] = /^(\d{16})\.spool$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function pathOf(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(16, '0')}.spool`);
}
