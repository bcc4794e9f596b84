import { resolve } from 'node:path';
import type { Failure } from '../batch-sender.ts';
import { ClientError } from '../client-error.ts';
import type { RequestBounds, Spool, SpoolPage } from '../spool.ts';
import { ProgressFile } from './progress-file.ts';
import { RefusedFile } from './refused-file.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter, type WriterBounds } from './segment-writer.ts';
import { makeDirectory, Segments } from './segments.ts';
import { spoolFailed } from './spool-error.ts';
import { SpoolLock } from './spool-lock.ts';

export interface DiskSpoolOptions {
  /**
   * Bytes on the disk at which `send` stops, with what was refused or found damaged and set aside: that alone may go beyond, for it is
   * kept whatever it takes. From 64 KiB on; default 1 GiB.
   */
  readonly maxBytes?: number;
  /** What `send` does when they are reached: it waits for the server to take some, or fails with `spool_full`. Default `wait`. */
  readonly whenFull?: 'wait' | 'fail';
}

const MAX_BYTES_MIN = 64 * 1024;
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Room comes back a segment at a time. */
const SEGMENTS_MIN = 8;

/**
 * A spool in a directory, for one publisher at a time: one object, one publisher, and the next publisher takes a new one. It is opened
 * when it is first used.
 *
 * @throws ClientError `option_invalid`
 */
export function diskSpool(dir: string, options: DiskSpoolOptions = {}): Spool {
  const { maxBytes = 1024 ** 3, whenFull = 'wait' } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MAX_BYTES_MIN) {
    throw new ClientError('option_invalid', `maxBytes of a spool is an integer from ${MAX_BYTES_MIN} on`);
  }
  if (whenFull !== 'wait' && whenFull !== 'fail') {
    throw new ClientError('option_invalid', 'whenFull of a spool is "wait" or "fail"');
  }
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(maxBytes / SEGMENTS_MIN));
  return new DiskSpool(resolve(dir), { maxBytes, segmentBytes, whenFull });
}

interface Opened {
  readonly lock: SpoolLock;
  readonly segments: Segments;
  readonly progress: ProgressFile;
  readonly refused: RefusedFile;
  readonly reader: SegmentReader;
  readonly writer: SegmentWriter;
}

class DiskSpool implements Spool {
  readonly isDurable = true;
  readonly #dir: string;
  readonly #bounds: WriterBounds;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;
  #isClosed = false;
  /** Events that were appended since the last page was settled. */
  #fresh = 0;

  constructor(dir: string, bounds: WriterBounds) {
    this.#dir = dir;
    this.#bounds = bounds;
  }

  get isEmpty(): boolean {
    return this.#isClosed || (this.#opened?.reader.isDrained ?? false);
  }

  isFull(bounds: RequestBounds): boolean {
    return this.#fresh >= bounds.eventsMax || (this.#opened?.reader.isFull(bounds) ?? true);
  }

  async append(text: string, signal: AbortSignal): Promise<void> {
    const { writer } = await this.#open();
    await writer.append(Buffer.from(text), signal);
    this.#fresh++;
  }

  async read(bounds: RequestBounds): Promise<SpoolPage> {
    const { reader } = await this.#open();
    return await reader.read(bounds);
  }

  async settle(failures: readonly Failure[]): Promise<void> {
    const { reader, writer, progress, refused, segments } = await this.#open();
    if (failures.length > 0) {
      await refused.append(failures).catch((error: unknown) => {
        throw spoolFailed(`${this.#dir} cannot keep what was refused`, error);
      });
      await segments.countAside();
    }
    this.#fresh = 0;
    const settled = reader.settle();
    if (settled !== undefined) await progress.write(settled);
    // The page is settled. What goes wrong from here on does so again for who reads next, or waits for room: they are told.
    await reader.removeSettled().catch(() => undefined);
    writer.wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    this.#opened = undefined;
    if (opened === undefined) return;
    const { lock, segments, progress, reader, writer } = opened;
    try {
      await writer.close();
      await segments.rotate();
      // What cannot be removed is sent again by whoever opens it next.
      await reader.removeSettled().catch(() => undefined);
      await Promise.all([segments.close(), progress.close()]);
    } finally {
      lock.release();
    }
  }

  /** @throws ClientError `spool_in_use`, `spool_failed`; then the next call tries again */
  async #open(): Promise<Opened> {
    if (this.#isClosed) throw closed();
    this.#opening ??= this.#openFiles();
    try {
      this.#opened = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    if (this.#isClosed) throw closed();
    return this.#opened;
  }

  async #openFiles(): Promise<Opened> {
    let lock: SpoolLock | undefined;
    try {
      await makeDirectory(this.#dir);
      lock = SpoolLock.take(this.#dir);
      const progress = new ProgressFile(this.#dir);
      const told = await progress.read();
      const segments = await Segments.open(this.#dir, told?.segment ?? 0);
      const reader = new SegmentReader(segments, told);
      const writer = new SegmentWriter(segments, this.#bounds, async () => {
        if (reader.isDrained) await segments.rotate();
        await reader.removeSettled();
        await segments.countAside();
      });
      return { lock, segments, progress, refused: new RefusedFile(this.#dir), reader, writer };
    } catch (error) {
      lock?.release();
      throw error instanceof ClientError ? error : spoolFailed(`${this.#dir} cannot be opened`, error);
    }
  }
}

function closed(): ClientError {
  return new ClientError('publisher_closed', 'the spool is closed');
}
