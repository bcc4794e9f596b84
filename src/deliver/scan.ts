import { PAGE_LENGTH_MAX, type StoredEvent } from '../store/store-reader.ts';
import { type DeliveryReader, topicsOf } from './delivery-reader.ts';

/** Pages that one scan reads. After them it has got somewhere, and whoever waits for the same subscription has a turn. */
const PAGES_MAX = 10;

/** As many as a reader gives at one time. */
const PAGE_EVENTS_MAX = 1000;

export interface ScanOptions {
  /** Patterns of topics. */
  readonly topics: readonly string[];
  /** Events above this position. */
  readonly after: number;
  /** Events to hand out at most. */
  readonly eventsMax: number;
  /** Events to hand out or hold at most. */
  readonly room: number;
  /** Topics of which something is outstanding, when the subscription is ordered. */
  readonly busy: ReadonlySet<string> | undefined;
}

/** What there is of new events. All that match, above where it began and up to `through`, are in one of the two lists. */
export interface Scanned {
  readonly events: StoredEvent[];
  /** Their topic is busy: they have to wait for their turn, so that those of other topics, behind them, need not. */
  readonly held: StoredEvent[];
  readonly through: number;
  /** Whether there was nothing more to see. */
  readonly isAtEnd: boolean;
}

/**
 * Looks for new events: until there are enough, or no room for more, or no more, or it has read its share of pages. The share bounds how
 * long others wait where next to nothing matches, or next to all of it is to be held.
 */
export async function scan(
  reader: Pick<DeliveryReader, 'events' | 'lastPosition'>,
  { topics, after, eventsMax, room, busy }: ScanOptions,
): Promise<Scanned> {
  const sorter = new Sorter(after, eventsMax, busy);
  const query = { ...topicsOf(topics), order: 'asc', offset: 0 } as const;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const wanted = eventsMax - sorter.events.length;
    const left = room - sorter.events.length - sorter.held.length;
    if (wanted <= 0 || left <= 0 || sorter.length >= PAGE_LENGTH_MAX) break;
    // Of an ordered subscription some will be held; those that there is no use for have to be read again.
    const limit = Math.min(busy === undefined ? wanted : 2 * wanted, left, PAGE_EVENTS_MAX);
    // Asked for before the page: when that is the last one, everything up to here has been seen, whether or not it matches.
    const last = await reader.lastPosition();
    const page = await reader.events({ ...query, after: sorter.through, limit });
    if (!sorter.takeAll(page.events)) break;
    sorter.through = page.next ?? Math.max(sorter.through, last);
    if (page.next === undefined) return sorter.result(true);
  }
  return sorter.result(false);
}

class Sorter {
  readonly events: StoredEvent[] = [];
  readonly held: StoredEvent[] = [];
  through: number;
  /** Characters of payload that were taken. */
  length = 0;
  readonly #eventsMax: number;
  readonly #busy: Set<string> | undefined;

  constructor(after: number, eventsMax: number, busy: ReadonlySet<string> | undefined) {
    this.through = after;
    this.#eventsMax = eventsMax;
    this.#busy = busy && new Set(busy);
  }

  /** @returns false when one would be too many: it and all after it are left */
  takeAll(events: readonly StoredEvent[]): boolean {
    return events.every((event) => this.#take(event));
  }

  #take(event: StoredEvent): boolean {
    if (this.#busy?.has(event.topic)) this.held.push(event);
    else if (this.events.length >= this.#eventsMax) return false;
    else {
      this.events.push(event);
      this.length += event.payload.length;
      this.#busy?.add(event.topic);
    }
    this.through = event.position;
    return true;
  }

  result(isAtEnd: boolean): Scanned {
    return { events: this.events, held: this.held, through: this.through, isAtEnd };
  }
}
