import { ClientError } from '../client-error.ts';
import { GROUP_HEADER_BYTES, printGroup, recordBytes } from './group.ts';
import { HEAD_BYTES } from './segment-head.ts';
import type { Segments } from './segments.ts';
import { spoolFailed, spoolFull } from './spool-error.ts';

export interface WriterBounds {
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly whenFull: 'wait' | 'fail';
}

interface Waiting {
  readonly text: Uint8Array;
  readonly signal: AbortSignal;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Written and synced at once, but for one event that is larger. */
const GROUP_BYTES_MAX = 1024 * 1024;

/** Around the records of a group, with the head of its segment and that of the next one. */
const OVERHEAD_BYTES = GROUP_HEADER_BYTES + 2 * HEAD_BYTES;

/** Writes events to the disk: those that come while a sync is under way share the next one. */
export class SegmentWriter {
  readonly #segments: Segments;
  readonly #bounds: WriterBounds;
  readonly #makeRoom: () => Promise<void>;
  readonly #signals = new WeakSet<AbortSignal>();
  #waiting: Waiting[] = [];
  #room = Promise.withResolvers<void>();
  #working: Promise<void> | undefined;

  /** @param makeRoom removes what need not be there */
  constructor(segments: Segments, bounds: WriterBounds, makeRoom: () => Promise<void>) {
    this.#segments = segments;
    this.#bounds = bounds;
    this.#makeRoom = makeRoom;
  }

  /** Resolves when the event is on the disk. */
  async append(text: Uint8Array, signal: AbortSignal): Promise<void> {
    const { maxBytes } = this.#bounds;
    if (recordBytes(text) + OVERHEAD_BYTES > maxBytes) {
      throw spoolFull(this.#segments.dir, maxBytes, `an event of ${text.length} bytes never fits`, false);
    }
    signal.throwIfAborted();
    this.#listen(signal);
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ text, signal, done: written.resolve, failed: written.reject });
    this.#working ??= this.#work();
    await written.promise;
  }

  /** To be called when there may be room again. */
  wake(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  /** Finishes what is being written; what waits is not taken. */
  async close(): Promise<void> {
    this.#giveUp(() => true, new ClientError('publisher_closed', 'the spool is closed'));
    await this.#working;
  }

  /** Once for a signal: a listener for each of thousands that wait took more time than to write them. */
  #listen(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    const onAbort = () => this.#giveUp((one) => one.signal === signal, signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** What is being written is not given up. */
  #giveUp(isGivenUp: (one: Waiting) => boolean, reason: unknown): void {
    const given = this.#waiting.filter(isGivenUp);
    this.#waiting = this.#waiting.filter((one) => !isGivenUp(one));
    for (const { failed } of given) failed(reason);
    this.wake();
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      if (group.length > 0) await this.#write(group);
      else await this.#full();
    }
    this.#working = undefined;
  }

  /** Those who have waited longest, as many as there is room for. */
  #takeGroup(): Waiting[] {
    const room = this.#bounds.maxBytes - this.#segments.bytes;
    let bytes = OVERHEAD_BYTES;
    let count = 0;
    for (const { text } of this.#waiting) {
      bytes += recordBytes(text);
      if (bytes > room || (count > 0 && bytes > GROUP_BYTES_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    try {
      const { end } = await this.#segments.append(printGroup(group.map(({ text }) => text)));
      if (end >= this.#bounds.segmentBytes) await this.#segments.rotate();
      for (const { done } of group) done();
    } catch (error) {
      const told = spoolFailed(`${this.#segments.dir} cannot be written`, error);
      for (const { failed } of group) failed(told);
    }
  }

  async #full(): Promise<void> {
    const { maxBytes, whenFull } = this.#bounds;
    const { dir, bytes: before } = this.#segments;
    const room = this.#room.promise;
    try {
      await this.#makeRoom();
      if (this.#segments.bytes < before) return;
      if (this.#segments.segmentBytes === 0) {
        throw spoolFull(dir, maxBytes, 'take away what is in refused.ndjson and *.damaged');
      }
      if (whenFull === 'fail') throw spoolFull(dir, maxBytes, 'the server has to take some first');
      await room;
    } catch (error) {
      for (const { failed } of this.#waiting.splice(0, 1)) failed(error);
    }
  }
}
