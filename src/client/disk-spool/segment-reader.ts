import type { ClientError } from '../client-error.ts';
import { countOf } from '../memory-spool.ts';
import type { RequestBounds, SpoolPage } from '../spool.ts';
import { type Place, readGroups, type SpooledEvent } from './group.ts';
import type { Progress } from './progress-file.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';
import { spoolDamaged, spoolFailed } from './spool-error.ts';

/** Read at once, but for a group that is larger: what is kept in memory of the events that wait. */
const WINDOW_BYTES = 1024 * 1024;

/** Reads events from the first segment on, and removes each segment when all of it is settled. */
export class SegmentReader {
  readonly #segments: Segments;
  readonly #damages: ClientError[];
  /** Up to where the first segment has been read. */
  #offset = 0;
  /** Events before it in their group are settled. */
  #start: Place | undefined;
  /** Events that were read and are not settled, all of the first segment. */
  #ahead: SpooledEvent[] = [];
  #aheadBytes = 0;
  /** How many of them were handed out. */
  #given = 0;
  /** What is read and removed is so one after the other: the writer asks for room at any time. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param progress where to go on; of another segment than the first it says nothing */
  constructor(segments: Segments, progress: Progress | undefined) {
    this.#segments = segments;
    this.#damages = [...segments.damages];
    if (progress !== undefined && progress.segment === segments.first?.number) {
      this.#start = progress;
      this.#offset = Math.min(progress.offset, segments.first.end);
    }
  }

  /** Whether all is settled that is on the disk. */
  get isDrained(): boolean {
    const { first, active } = this.#segments;
    if (this.#ahead.length > 0 || this.#damages.length > 0) return false;
    return first === undefined || (first === active && this.#offset === first.end);
  }

  /** Whether what waits would fill a request, as far as that is known without reading it. */
  isFull({ eventsMax, bytesMax }: RequestBounds): boolean {
    const unread = this.#segments.segmentBytes - this.#offset;
    return this.#ahead.length >= eventsMax || this.#aheadBytes + unread >= bytesMax;
  }

  async read(bounds: RequestBounds): Promise<SpoolPage> {
    await this.removeSettled();
    this.#given = countOf(this.#ahead, bounds);
    const texts = this.#ahead.slice(0, this.#given).map(({ text }) => text);
    return { texts, damages: this.#damages.splice(0) };
  }

  /** @returns how far all is settled, now that what was read last is */
  settle(): Progress | undefined {
    const settled = this.#ahead.splice(0, this.#given);
    const last = settled.at(-1);
    const segment = this.#segments.first;
    for (const { bytes } of settled) this.#aheadBytes -= bytes;
    this.#given = 0;
    if (last === undefined || segment === undefined) return undefined;
    return { segment: segment.number, ...last.next };
  }

  /** Removes the segments that are done with, and reads on in the first that is not. */
  async removeSettled(): Promise<void> {
    const done = this.#turn.then(() => this.#readOn());
    this.#turn = done.catch(() => undefined);
    await done;
  }

  async #readOn(): Promise<void> {
    while (this.#ahead.length === 0 && (await this.#advance()));
  }

  /** @returns whether to look again */
  async #advance(): Promise<boolean> {
    const segment = await this.#toRead();
    if (segment !== undefined && this.#offset < segment.end) {
      await this.#readAhead(segment);
      return true;
    }
    return await this.#removeFirst();
  }

  async #toRead(): Promise<Segment | undefined> {
    return await this.#segments.firstToRead().catch((error: unknown) => {
      throw spoolFailed(`a segment of ${this.#segments.dir} cannot be read`, error);
    });
  }

  async #removeFirst(): Promise<boolean> {
    const { first, active } = this.#segments;
    if (first === undefined || first === active || this.#offset < first.end) return false;
    if (first.isShort && !first.isSetAside) await this.#setAside(first, [first.end]);
    await this.#segments.removeFirst().catch((error: unknown) => {
      throw spoolFailed(`${first.path} cannot be removed`, error);
    });
    this.#offset = 0;
    this.#start = undefined;
    return true;
  }

  async #readAhead(segment: Segment): Promise<void> {
    const { end } = segment;
    const found =
      (await this.#readWindow(segment, Math.min(end, this.#offset + WINDOW_BYTES), end)) ??
      (await this.#readWindow(segment, end, end));
    if (found === undefined) return;
    if (found.damages.length > 0) await this.#setAside(segment, found.damages);
    const { offset, index } = this.#start ?? { offset: 0, index: 0 };
    this.#ahead = found.events.filter(({ place }) => place.offset !== offset || place.index >= index);
    this.#aheadBytes = this.#ahead.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#offset = found.end;
  }

  /** @returns undefined when the first group is larger */
  async #readWindow(segment: Segment, to: number, end: number) {
    const bytes = await segment.read(this.#offset, to).catch((error: unknown) => {
      throw spoolFailed(`${segment.path} cannot be read`, error);
    });
    const isCut = this.#offset + bytes.length < to;
    const found = readGroups(bytes, this.#offset, isCut || to === end);
    if (isCut) {
      found.damages.push(found.end);
      found.end = end;
    }
    return found.end > this.#offset ? found : undefined;
  }

  async #setAside(segment: Segment, offsets: readonly number[]): Promise<void> {
    try {
      await this.#segments.setAside(segment);
    } catch (error) {
      throw spoolFailed(`${segment.path} is damaged, and cannot be set aside`, error);
    }
    this.#damages.push(...offsets.map((offset) => spoolDamaged(segment.path, offset, 'is damaged')));
  }
}
