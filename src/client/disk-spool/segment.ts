import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from './append-file.ts';
import { endOfGroups, printGroup } from './group.ts';
import { codeOf } from './spool-error.ts';

/** A file of the spool: written from its beginning to its end, then only read, then removed. */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** Whether a copy is kept when it goes: it was found damaged. */
  isSetAside = false;
  /** Whether it must end with a seal; else the disk has failed before there was one. */
  hasSeal = true;
  #size: number;
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
    return new Segment(dir, number, 0, await AppendFile.open(pathOf(dir, number), 'w+'));
  }

  /** Bytes that are on the disk. */
  get end(): number {
    return this.#file?.end ?? this.#size;
  }

  /** Whether more may be written to it. */
  get isOpen(): boolean {
    return this.#file?.isSound ?? false;
  }

  /** Writes and syncs. When it rejects, nothing was written. */
  async append(bytes: Buffer): Promise<void> {
    await this.#file?.append(bytes);
  }

  /** Nothing more is written to it. */
  async seal(): Promise<void> {
    await this.#seal(printGroup([]));
  }

  async #seal(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    try {
      if (file.isSound) await file.append(bytes);
      else this.hasSeal = false;
    } catch {
      this.hasSeal = false;
    }
    await this.finish();
  }

  /** Its last group was a seal. */
  async finish(): Promise<void> {
    const file = this.#file;
    this.#size = this.end;
    this.#file = undefined;
    await file?.close();
  }

  /** Cuts off what a crash has left unfinished, and syncs what it may have left unsynced. */
  async recover(): Promise<void> {
    const { end, isSealed } = endOfGroups(await this.read(0, this.#size));
    if (end < this.#size) await truncate(this.path, end);
    this.#size = end;
    if (end === 0) return;
    this.#file = await AppendFile.open(this.path, 'r+');
    await this.#seal(isSealed ? Buffer.alloc(0) : printGroup([]));
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
