import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ClientError } from '../client-error.ts';
import { syncDirectory } from './append-file.ts';
import { asideBytes } from './aside-files.ts';
import { Segment, segmentNumber } from './segment.ts';
import { spoolDamaged } from './spool-error.ts';

/** The segments of a directory, in their order: read from the first, written to the last. */
export class Segments {
  readonly dir: string;
  /** Files that are missing among those that are there. */
  readonly damages: ClientError[] = [];
  readonly #all: Segment[] = [];
  #active: Segment | undefined;
  #lastNumber = 0;
  #bytesAside = 0;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * Opens what is there: of the last segment what a crash has left unfinished is cut off.
   *
   * @param numberMin progress is told of this one: those before it are settled, and no number up to it is given again
   */
  static async open(dir: string, numberMin: number): Promise<Segments> {
    const segments = new Segments(dir);
    for (const name of (await readdir(dir)).sort()) await segments.#find(name, numberMin);
    await segments.#recoverLast();
    segments.#lastNumber = Math.max(numberMin, segments.#all.at(-1)?.number ?? 0);
    await segments.countAside();
    return segments;
  }

  get first(): Segment | undefined {
    return this.#all[0];
  }

  /** The one that is written to. */
  get active(): Segment | undefined {
    return this.#active;
  }

  /** What segments take on the disk. */
  get segmentBytes(): number {
    return this.#all.reduce((sum, { end }) => sum + end, 0);
  }

  /** What the spool takes on the disk, with what was set aside. */
  get bytes(): number {
    return this.segmentBytes + this.#bytesAside;
  }

  /** Where that fails, what was counted last still holds. */
  async countAside(): Promise<void> {
    this.#bytesAside = await asideBytes(this.dir).catch(() => this.#bytesAside);
  }

  /** The first one, whose end is known then, unless the next one is missing. */
  async firstToRead(): Promise<Segment | undefined> {
    const [first, next] = this.#all;
    if (first !== undefined && next?.number === first.number + 1) await first.learnEnd(next);
    return first;
  }

  /**
   * Writes to the last segment, or to a new one. When it rejects, nothing was written.
   *
   * @returns the one that was written to
   */
  async append(bytes: Buffer): Promise<Segment> {
    const segment = this.#active ?? (await Segment.create(this.dir, this.#lastNumber + 1));
    try {
      await segment.append(bytes, this.#all.at(-1)?.end ?? 0);
    } catch (error) {
      // Where it stays, the next one takes its place.
      if (segment !== this.#active) await segment.remove().catch(() => undefined);
      else if (!segment.isOpen) await this.rotate();
      throw error;
    }
    if (segment === this.#active) return segment;
    this.#lastNumber++;
    this.#active = segment;
    this.#all.push(segment);
    return segment;
  }

  /** What comes next goes to a new segment. */
  async rotate(): Promise<void> {
    const segment = this.#active;
    this.#active = undefined;
    await segment?.finish();
  }

  async setAside(segment: Segment): Promise<void> {
    await segment.setAside();
    await this.countAside();
  }

  /** When it rejects, the segment is the first one still. */
  async removeFirst(): Promise<void> {
    await this.first?.remove();
    this.#all.shift();
  }

  async close(): Promise<void> {
    await this.rotate();
    await this.#tellEnd().catch(() => undefined);
    for (const segment of this.#all) await segment.close();
  }

  /** Leaves word of where the last segment ends: else it were as after a crash. */
  async #tellEnd(): Promise<void> {
    if (this.#all.at(-1)?.hasGroups) await this.append(Buffer.alloc(0));
    // One that could neither be written nor removed must not be taken for a segment.
    else await Segment.left(this.dir, this.#lastNumber + 1, 0).remove();
  }

  async #find(name: string, numberMin: number): Promise<void> {
    const number = segmentNumber(name);
    if (number === undefined) return;
    const path = join(this.dir, name);
    const segment = Segment.left(this.dir, number, (await stat(path)).size);
    // One that could not be removed, or has come back with a power loss. It is nothing to stop for when it cannot be again.
    if (number < numberMin) return await segment.remove().catch(() => undefined);
    const before = this.#all.at(-1);
    if (before && before.number + 1 !== number) {
      this.damages.push(spoolDamaged(before.path, before.end, 'is not followed by the next segment'));
    }
    this.#all.push(segment);
  }

  /** A crash may have left a new segment without anything, and then the one before it is the last. */
  async #recoverLast(): Promise<void> {
    for (let last = this.#all.at(-1); last !== undefined; last = this.#all.at(-1)) {
      await last.recover();
      if (last.end > 0) return;
      await last.remove();
      this.#all.pop();
    }
  }
}

/** Makes a directory, and its name durable. */
export async function makeDirectory(dir: string): Promise<void> {
  const made = await mkdir(dir, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = resolve(dir); at.length >= resolve(made).length; at = dirname(at)) {
    await syncDirectory(dirname(at));
  }
}
