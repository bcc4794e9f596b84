import { messageOf } from '../message-of.ts';
import { isNewer, type OpenedEntry, openEntry } from '../queue/entry-codec.ts';
import type { Entry, QueueConsumer } from '../queue/queue.ts';
import { type BundleSize, isSuspect, nextEntriesMax, toBundles } from './bundle.ts';

/** A bundle as it is worked on. */
export interface Claimed {
  readonly decoded: readonly Decoded[];
  readonly unfit: readonly Unfit[];
  /** Nothing is to be claimed before it is finished: if it ends this worker, what was claimed would come back as a suspect too. */
  readonly isSuspect: boolean;
}

export interface Decoded {
  readonly entry: Entry;
  readonly opened: OpenedEntry;
}

/** An entry that is not to be tried at all, here; or, if it cannot be `forOthers`, by anybody. */
export interface Unfit {
  readonly entry: Entry;
  readonly reason: string;
  readonly forOthers?: boolean;
}

export interface ClaimSettings extends BundleSize {
  /** How long to wait for an entry when there is none. */
  readonly waitMs: number;
  /** An entry handed out more often than this without an answer is not tried again. */
  readonly handedOutMax: number;
}

/**
 * What a worker has claimed and not begun, and the next bundle, decoded while the one before it is being committed: so the
 * store never waits for the queue. One claim ahead, no more; it never waits, for that would block the connection on which the
 * bundle before is to be acknowledged, and take entries from a worker that is free.
 */
export class Claims {
  readonly #queue: QueueConsumer;
  readonly #settings: ClaimSettings;
  #bundles: Entry[][] = [];
  #ahead: Promise<Claimed | undefined> | undefined;
  #entriesMax = 1;

  constructor(queue: QueueConsumer, settings: ClaimSettings) {
    this.#queue = queue;
    this.#settings = settings;
  }

  /** Whether something is held, or may be. */
  get holdsSome(): boolean {
    return this.#ahead !== undefined || this.#bundles.length > 0;
  }

  /**
   * The next bundle; undefined if there was none for `waitMs`, or the signal was aborted.
   *
   * @throws SekaliError `queue_unavailable`
   */
  async next(signal: AbortSignal): Promise<Claimed | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const decoded = await ahead;
    if (decoded !== undefined) return decoded;
    if (this.#bundles.length === 0) await this.#claim(this.#settings.waitMs, signal);
    return this.#decodeNext();
  }

  /** Begins with what {@link next} gives next. What fails here fails there again. */
  readAhead(signal: AbortSignal): void {
    this.#ahead ??= this.#prepare(signal).catch(() => undefined);
  }

  async #prepare(signal: AbortSignal): Promise<Claimed | undefined> {
    if (this.#bundles.length === 0) await this.#claim(0, signal);
    const next = this.#bundles[0];
    // A suspect may end this thread when it is looked at; what is being committed comes first.
    return next === undefined || isSuspect(next[0]!) ? undefined : this.#decodeNext();
  }

  async #claim(waitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const entries = await this.#queue.claim({ entriesMax: this.#entriesMax, waitMs, signal });
    this.#entriesMax = nextEntriesMax(this.#entriesMax, entries, this.#settings);
    this.#bundles.push(...toBundles(entries, this.#settings));
  }

  #decodeNext(): Claimed | undefined {
    const bundle = this.#bundles.shift();
    if (bundle === undefined) return undefined;
    const decoded: Decoded[] = [];
    const unfit: Unfit[] = [];
    for (const entry of bundle) {
      const result = this.#decode(entry);
      if ('opened' in result) decoded.push(result);
      else unfit.push(result);
    }
    return { decoded, unfit, isSuspect: isSuspect(bundle[0]!) };
  }

  #decode(entry: Entry): Decoded | Unfit {
    if (entry.attempts > this.#settings.handedOutMax) {
      const times = entry.attempts - 1;
      return { entry, reason: `It was handed out ${times} times, and no worker lived to answer.` };
    }
    try {
      return { entry, opened: openEntry(entry.body) };
    } catch (error) {
      return { entry, reason: messageOf(error), forOthers: isNewer(entry.body) };
    }
  }
}
