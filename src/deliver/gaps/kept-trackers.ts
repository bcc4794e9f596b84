import { SekaliError } from '../../errors.ts';
import { type GapFilter, GapTracker } from './gap-tracker.ts';

/** Filters whose tracker is kept, the one asked for last the longest. */
export const TRACKERS_MAX = 64;

/** Weight of one tracker (GapTracker.weight), of all that are kept, and of what may be held: about 20, 60 and 40 MB. */
export const TRACKER_WEIGHT_MAX = 200_000;
const WEIGHT_MAX = 3 * TRACKER_WEIGHT_MAX;
const HELD_MAX = 2 * TRACKER_WEIGHT_MAX;

/** Weight that one publisher hardly ever goes beyond: that of a filter by topic and source. */
const PUBLISHER_WEIGHT_MAX = 25_000;

/** For how long after it was asked for a tracker that has not caught up is kept. */
const PATIENCE_MS = 10_000;

interface Kept {
  readonly tracker: GapTracker;
  askedMs: number;
  /** Whether it has read everything, as far as is known. */
  isComplete: boolean;
  /** Weight that it may grow to, whatever others do: of one that takes more than one request. */
  held: number;
}

/**
 * The trackers of filters that were asked for, as many as there is room for.
 *
 * One that has yet to catch up, and is waited for, is never let go of for another: each would take from the other what it has found so
 * far, and none would ever come to an end. So what needs more than one request is sure of its room, or refused.
 */
export class KeptTrackers {
  readonly #nowMs: () => number;
  /** By the name of the filter; the one asked for last is the last. */
  readonly #kept = new Map<string, Kept>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @throws SekaliError `overloaded` when there is no room for another one */
  get(name: string, filter: GapFilter): GapTracker {
    const known = this.#kept.get(name);
    const kept = known ?? { tracker: new GapTracker(filter), askedMs: 0, isComplete: false, held: 0 };
    kept.askedMs = this.#nowMs();
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    this.#makeRoom(name);
    return kept.tracker;
  }

  /** @throws SekaliError `overloaded` when there is no room for what it has grown to: then it is let go of */
  grown(name: string, tracker: GapTracker, isAtEnd: boolean): void {
    const kept = this.#kept.get(name);
    if (kept?.tracker !== tracker) return;
    kept.isComplete = isAtEnd;
    if (isAtEnd) kept.held = 0;
    this.#makeRoom(name);
  }

  /**
   * Holds room for one that has not caught up by the end of a request.
   *
   * @throws SekaliError `overloaded` when others hold it: then it is let go of
   */
  hold(name: string, tracker: GapTracker): void {
    const kept = this.#kept.get(name);
    if (kept?.tracker !== tracker || kept.isComplete) return;
    const { topic, source } = tracker.filter;
    kept.held = topic === undefined || source === undefined ? TRACKER_WEIGHT_MAX : PUBLISHER_WEIGHT_MAX;
    let held = 0;
    for (const one of this.#kept.values()) if (this.#isWaitedFor(one)) held += one.held;
    if (held > HELD_MAX) this.#refuse(name);
    this.#makeRoom(name);
  }

  delete(name: string): void {
    this.#kept.delete(name);
  }

  /** Lets go of those that nobody has asked for the longest. */
  #makeRoom(name: string): void {
    let weight = 0;
    for (const kept of this.#kept.values()) weight += this.#weightOf(kept);
    for (const [other, kept] of this.#kept) {
      if (this.#kept.size <= TRACKERS_MAX && weight <= WEIGHT_MAX) return;
      if (other === name || this.#isWaitedFor(kept)) continue;
      this.#kept.delete(other);
      weight -= this.#weightOf(kept);
    }
    if (this.#kept.size <= TRACKERS_MAX && weight <= WEIGHT_MAX) return;
    this.#refuse(name);
  }

  #refuse(name: string): never {
    this.#kept.delete(name);
    throw new SekaliError(
      'overloaded',
      'too many others are being worked out: ask again a little later, or for one topic and source',
    );
  }

  #weightOf(kept: Kept): number {
    return Math.max(kept.tracker.weight, this.#isWaitedFor(kept) ? kept.held : 0);
  }

  #isWaitedFor({ isComplete, askedMs }: Kept): boolean {
    return !isComplete && this.#nowMs() - askedMs < PATIENCE_MS;
  }
}
