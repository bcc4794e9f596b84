import { setTimeout as pause } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import type { StoreReader } from '../../store/store.ts';
import { Turns } from '../turns.ts';
import { type GapFilter, type GapsPage, GapTracker } from './gap-tracker.ts';

/** Events that are read at one time: a few milliseconds of the thread that judges them. */
const EVENTS_AT_ONCE = 2000;

/** Longest pause between two readings: one is as long as the reading before it, so that half of the time is left to publishers. */
const PAUSE_MS_MAX = 100;

/** Trackers that catch up at one time; each holds a reader of the store for a part of it. */
const CATCHING_UP_MAX = 4;

/** Filters whose tracker is kept, the one asked for last the longest. */
const TRACKERS_MAX = 64;

/** Weight of one tracker (GapTracker.weight), and of all that are kept: about 20 and 40 MB. */
export const TRACKER_WEIGHT_MAX = 200_000;
const WEIGHT_MAX = 2 * TRACKER_WEIGHT_MAX;

/** For how long a filter that was too broad is refused without another look. */
const TOO_BROAD_MS = 600_000;

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
  /** By filter; the one asked for last is the last. */
  readonly #trackers = new Map<string, GapTracker>();
  /** Filters that are too broad, and until when they are taken to be. */
  readonly #tooBroad = new Map<string, number>();

  constructor(reader: Pick<StoreReader, 'sequences'>, nowMs: () => number = () => performance.now()) {
    this.#reader = reader;
    this.#nowMs = nowMs;
  }

  /**
   * Catches up, and tells what is known: not all, when the signal was aborted before everything had been read. Then the next call goes
   * on from there: each one gets further, however early it is aborted.
   *
   * @throws SekaliError `publishers_too_many`; and what the reader throws
   */
  async find({ topic, source, after, limit }: GapQuery, signal: AbortSignal): Promise<Found> {
    const tracker = this.#trackerOf({ topic, source });
    const isComplete = await this.#catchUp(tracker, signal);
    return { ...tracker.page({ after, limit }), isComplete };
  }

  #trackerOf(filter: GapFilter): GapTracker {
    const name = nameOf(filter);
    if ((this.#tooBroad.get(name) ?? 0) > this.#nowMs()) throw tooBroad();
    const tracker = this.#trackers.get(name) ?? new GapTracker(filter);
    this.#trackers.delete(name);
    this.#trackers.set(name, tracker);
    this.#makeRoom();
    return tracker;
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
      this.#makeRoom();
      if (page.isAtEnd || signal.aborted) return page.isAtEnd;
      await pause(Math.min(this.#nowMs() - beganMs, PAUSE_MS_MAX), undefined, { signal }).catch(() => {});
    }
  }

  #refuse(filter: GapFilter): SekaliError {
    const name = nameOf(filter);
    this.#trackers.delete(name);
    this.#tooBroad.set(name, this.#nowMs() + TOO_BROAD_MS);
    const [oldest] = this.#tooBroad.keys();
    if (this.#tooBroad.size > TRACKERS_MAX && oldest !== undefined) this.#tooBroad.delete(oldest);
    return tooBroad();
  }

  /** Lets go of those that nobody has asked for the longest; the one asked for last stays. */
  #makeRoom(): void {
    let weight = 0;
    for (const tracker of this.#trackers.values()) weight += tracker.weight;
    for (const [name, tracker] of this.#trackers) {
      if (this.#trackers.size === 1) return;
      if (this.#trackers.size <= TRACKERS_MAX && weight <= WEIGHT_MAX) return;
      this.#trackers.delete(name);
      weight -= tracker.weight;
    }
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
