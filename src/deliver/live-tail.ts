import { setTimeout as pause } from 'node:timers/promises';
import type { StoredEvent, StoredSignal, StoreReader } from '../store/store.ts';
import { Bell } from './bell.ts';

/**
 * Between two reads of what is new: commits that come faster are read together. Counted into what a subscriber waits for an
 * event, and what each read costs is shared by all of them.
 */
const READ_EVERY_MS = 5;

/** After a read that failed. The store's own state is told elsewhere; here it is only tried again. */
const RETRY_MS = 500;

const PAGE_EVENTS = 1000;

/**
 * Characters of payload that are kept for whoever is a little behind. Little, for what is kept long has to be looked at by each garbage
 * collection: with 8 Mi an event cost 1 µs more on its way to a subscriber.
 */
const LENGTH_MAX = 512 * 1024;

export interface LiveTailOptions {
  readonly reader: Pick<StoreReader, 'events' | 'lastPosition'>;
  readonly stored: StoredSignal;
  /** Characters of payload that are kept, at least those of the last page. */
  readonly lengthMax?: number;
}

/**
 * The newest events, in memory, for all who follow the log live: each is read from the store once, however many there are.
 *
 * States: *idle*, nobody follows and nothing is read → (the first {@link follow}) → *running* → (the last one ends) → idle. While it
 * runs it holds every event above its *floor* up to {@link last}, and no other; the floor rises when there is no room. Who is below
 * the floor reads from the store (feed.ts).
 */
export class LiveTail {
  readonly #options: Required<LiveTailOptions>;
  readonly #followers = new Set<() => void>();
  #running: AbortController | undefined;
  #events: StoredEvent[] = [];
  #length = 0;
  #floor = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(options: LiveTailOptions) {
    this.#options = { lengthMax: LENGTH_MAX, ...options };
  }

  /**
   * Runs until what it returns is called.
   *
   * @param onGrown told when there is something new, and when it begins to run
   */
  follow(onGrown: () => void): () => void {
    const follower = () => onGrown(); // of its own, so that the same one may follow twice
    this.#followers.add(follower);
    if (this.#running === undefined) {
      this.#running = new AbortController();
      void this.#run(this.#running.signal);
    }
    return () => {
      if (this.#followers.delete(follower) && this.#followers.size === 0) this.#stop();
    };
  }

  /** The position up to which it has read. */
  get last(): number {
    return this.#last;
  }

  /** The events above a position, oldest first; undefined when it does not have all of them, or not yet. */
  after(position: number): readonly StoredEvent[] | undefined {
    if (position < this.#floor) return undefined;
    let first = this.#events.length;
    while (first > 0 && this.#events[first - 1]!.position > position) first--;
    return first === 0 ? this.#events : this.#events.slice(first);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#events = [];
    this.#length = 0;
    this.#floor = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const bell = new Bell();
    const stop = this.#options.stored.onStored(() => bell.ring());
    signal.addEventListener('abort', () => bell.ring());
    bell.ring();
    for (;;) {
      await bell.wait();
      if (signal.aborted) break;
      try {
        await this.#read(signal);
        await pause(READ_EVERY_MS);
      } catch {
        bell.ring();
        await pause(RETRY_MS);
      }
    }
    stop();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { reader } = this.#options;
    if (this.#floor === Number.POSITIVE_INFINITY) {
      const position = await reader.lastPosition();
      if (signal.aborted) return;
      this.#floor = this.#last = position;
      this.#tell();
    }
    for (let next: number | undefined = this.#last; next !== undefined; ) {
      const query = { order: 'asc', offset: 0, limit: PAGE_EVENTS, after: next } as const;
      const page = await reader.events(query);
      if (signal.aborted) return;
      this.#add(page.events);
      next = page.next;
    }
  }

  #add(events: readonly StoredEvent[]): void {
    const newest = events.at(-1);
    if (newest === undefined) return;
    for (const event of events) this.#length += event.payload.length;
    this.#events.push(...events);
    this.#last = newest.position;
    this.#makeRoom(events.length);
    this.#tell();
  }

  /** The page that has just come stays: who follows closely is to find it here. */
  #makeRoom(keep: number): void {
    let dropped = 0;
    while (this.#length > this.#options.lengthMax && this.#events.length - dropped > keep) {
      const event = this.#events[dropped++]!;
      this.#length -= event.payload.length;
      this.#floor = event.position;
    }
    if (dropped > 0) this.#events = this.#events.slice(dropped);
  }

  #tell(): void {
    for (const onGrown of this.#followers) onGrown();
  }
}
