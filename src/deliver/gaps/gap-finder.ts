import { setTimeout as pause } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import type { StoreReader } from '../../store/store-reader.ts';
import { Turns } from '../../turns.ts';
import type { GapFilter, GapsPage, GapTracker } from './gap-tracker.ts';
import { KeptTrackers, TRACKER_WEIGHT_MAX } from './kept-trackers.ts';

/** Events that are read at one time: a few milliseconds of the thread that judges them. */
const EVENTS_AT_ONCE = 2000;

/** Longest pause between two readings: one is as long as the reading before it, so that half of the time is left to publishers. */
const PAUSE_MS_MAX = 100;

/** Trackers that catch up at one time; each holds a reader of the store for a part of it. */
const CATCHING_UP_MAX = 4;

/** For how long a filter that was too broad is refused without another look. */
const TOO_BROAD_MS = 600_000;

/** Filters of which that is known. */
const TOO_BROAD_MAX = 64;

export interface GapQuery extends GapFilter {
  /** Publishers whose first event is above this position. */
  readonly after: number;
  /** Publishers in the page at most. */
  readonly limit: number;
}

/** A page, and whether it tells of all that was stored when it was asked for. */
export type Found = GapsPage & { readonly isComplete: boolean };

/**
 * Finds gaps in what publishers have counted, by reading their events: nothing is kept of it but in memory, and publishing has no part
 * in it. What has been worked out for a filter is kept, so the next time only what is new is read.
 */
export class GapFinder {
  readonly #reader: Pick<StoreReader, 'sequences'>;
  readonly #nowMs: () => number;
  readonly #catchingUp = new Turns(CATCHING_UP_MAX);
  readonly #trackers: KeptTrackers;
  /** Filters that are too broad, and until when they are taken to be. */
  readonly #tooBroad = new Map<string, number>();

  constructor(reader: Pick<StoreReader, 'sequences'>, nowMs: () => number = () => performance.now()) {
    this.#reader = reader;
    this.#nowMs = nowMs;
    this.#trackers = new KeptTrackers(nowMs);
  }

  /**
   * Catches up, and tells what is known: not all, when the signal is aborted before everything has been read. It waits no longer than
   * that, whatever the reader does; the page under way is read to its end, and the next call goes on from there.
   *
   * @throws SekaliError `publishers_too_many`; `overloaded` while others catch up; and what the reader throws
   */
  async find({ topic, source, after, limit }: GapQuery, signal: AbortSignal): Promise<Found> {
    const tracker = this.#trackerOf({ topic, source });
    const caughtUp = this.#catchUp(tracker, signal);
    caughtUp.catch(() => {}); // nobody may be waiting for it any more
    const isComplete = (await unlessAborted(caughtUp, signal)) === true;
    if (!isComplete) this.#trackers.hold(nameOf(tracker.filter), tracker);
    return { ...tracker.page({ after, limit }), isComplete };
  }

  #trackerOf(filter: GapFilter): GapTracker {
    const name = nameOf(filter);
    if ((this.#tooBroad.get(name) ?? 0) > this.#nowMs()) throw tooBroad();
    return this.#trackers.get(name, filter);
  }

  /** @returns whether all that was stored when it was called has been read */
  async #catchUp(tracker: GapTracker, signal: AbortSignal): Promise<boolean> {
    if ((await tracker.turns.take(1, signal)) === 0) return false;
    try {
      if ((await this.#catchingUp.take(1, signal)) === 0) return false;
      try {
        return await this.#readOn(tracker, signal);
      } finally {
        this.#catchingUp.give();
      }
    } finally {
      tracker.turns.give();
    }
  }

  async #readOn(tracker: GapTracker, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const beganMs = this.#nowMs();
      const query = { ...tracker.filter, after: tracker.through, limit: EVENTS_AT_ONCE };
      const page = await this.#reader.sequences(query);
      tracker.take(page);
      if (tracker.weight > TRACKER_WEIGHT_MAX) throw this.#refuse(tracker.filter);
      this.#trackers.grown(nameOf(tracker.filter), tracker, page.isAtEnd);
      if (page.isAtEnd || signal.aborted) return page.isAtEnd;
      await pause(Math.min(this.#nowMs() - beganMs, PAUSE_MS_MAX), undefined, { signal }).catch(() => {});
    }
  }

  #refuse(filter: GapFilter): SekaliError {
    const name = nameOf(filter);
    this.#trackers.delete(name);
    this.#tooBroad.set(name, this.#nowMs() + TOO_BROAD_MS);
    const [oldest] = this.#tooBroad.keys();
    if (this.#tooBroad.size > TOO_BROAD_MAX && oldest !== undefined) this.#tooBroad.delete(oldest);
    return tooBroad();
  }
}

/** @returns what the work comes to; undefined when the signal is aborted before */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = () => aborted.resolve(undefined);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function nameOf({ topic, source }: GapFilter): string {
  return JSON.stringify([topic, source]);
}

function tooBroad(): SekaliError {
  return new SekaliError(
    'publishers_too_many',
    'more publishers and gaps match than a server looks after at once: ask for one topic, or for one topic and source',
  );
}
