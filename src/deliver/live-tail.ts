import { setTimeout as pause } from 'node:timers/promises';
import type { PrintedPage, StoredSignal, StoreReader } from '../store/store-reader.ts';
import { Bell } from './bell.ts';

/**
 * Between two reads of what is new: commits that come faster are read together. Counted into what a subscriber waits for an
 * event, and what each read costs is shared by all of them.
 */
const READ_EVERY_MS = 5;

/** After a read that failed. The store's own state is told elsewhere; here it is only tried again. */
const RETRY_MS = 500;

const PAGE_EVENTS = 1000;

/** Length of payloads of a page: one that is slow keeps the page that it is at. */
const PAGE_LENGTH = 512 * 1024;

/** Bytes of pages that are kept for whoever is a little behind. */
const BYTES_MAX = 4 * 1024 * 1024;

export interface LiveTailOptions {
  readonly reader: Pick<StoreReader, 'printed' | 'lastPosition'>;
  readonly stored: StoredSignal;
  /** Bytes of pages that are kept, at least those of the last page. */
  readonly bytesMax?: number;
}

/** The events of a page from one of them on. */
export interface PageFrom {
  readonly page: PrintedPage;
  /** Its number in the page. */
  readonly first: number;
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
  #pages: PrintedPage[] = [];
  #bytes = 0;
  #floor = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(options: LiveTailOptions) {
    this.#options = { bytesMax: BYTES_MAX, ...options };
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

  /** Whether it has all of the events above a position. */
  reaches(position: number): boolean {
    return position >= this.#floor;
  }

  /** The page with the next events above a position that it {@link reaches}; undefined when there are none yet. */
  after(position: number): PageFrom | undefined {
    let number = this.#pages.length;
    while (number > 0 && lastOf(this.#pages[number - 1]!) > position) number--;
    const page = this.#pages[number];
    if (page === undefined) return undefined;
    let first = 0;
    while (page.positions[first]! <= position) first++;
    return { page, first };
  }

  /** Lets go of what it has read. Who follows goes on with what comes next. */
  forget(): void {
    if (this.#pages.length === 0) return;
    this.#pages = [];
    this.#bytes = 0;
    this.#floor = this.#last;
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#pages = [];
    this.#bytes = 0;
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
      const query = {
        order: 'asc',
        offset: 0,
        limit: PAGE_EVENTS,
        lengthMax: PAGE_LENGTH,
        after: next,
        printing: 'frames',
      } as const;
      const page = await reader.printed(query);
      if (signal.aborted) return;
      this.#add(page);
      next = page.next;
    }
  }

  #add(page: PrintedPage): void {
    if (page.positions.length === 0) return;
    this.#pages.push(page);
    this.#bytes += page.text.length;
    this.#last = lastOf(page);
    this.#makeRoom();
    this.#tell();
  }

  /** The page that has just come stays: who follows closely is to find it here. */
  #makeRoom(): void {
    while (this.#bytes > this.#options.bytesMax && this.#pages.length > 1) {
      const dropped = this.#pages.shift()!;
      this.#bytes -= dropped.text.length;
      this.#floor = lastOf(dropped);
    }
  }

  #tell(): void {
    for (const onGrown of this.#followers) onGrown();
  }
}

function lastOf({ positions }: PrintedPage): number {
  return positions[positions.length - 1]!;
}
