import type { StoredEvent, StoreReader } from '../store/store.ts';
import type { TopicFilter } from '../topic-filter.ts';
import { Bell } from './bell.ts';
import type { LiveTail } from './live-tail.ts';

export interface FeedOptions {
  readonly filter: TopicFilter;
  readonly source?: string | undefined;
  /** Events above this position. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/** The next events of a feed, oldest first: none, when only its position has moved. */
export interface FeedStep {
  readonly events: readonly StoredEvent[];
  /** Up to here everything that matches has been given: where to go on. */
  readonly through: number;
  /** Whether they come from the live tail, and so to others who follow it at the same time. */
  readonly isLive: boolean;
}

const PAGE_EVENTS = 1000;

/**
 * The events of some topics, from a position on and without an end: from the store until it has caught up, and then live from
 * the tail in memory; from the store again, if it falls behind that. In the order of positions, without a gap and without a
 * repeat. It reads when it is asked for more, so a slow taker costs no memory.
 *
 * Ends when the signal is aborted. @throws what the reader does
 */
export async function* feed(
  reader: Pick<StoreReader, 'events' | 'lastPosition'>,
  tail: LiveTail,
  { filter, source, after, signal }: FeedOptions,
): AsyncGenerator<FeedStep> {
  const bell = new Bell();
  const isWanted = (event: StoredEvent) =>
    filter.matches(event.topic) && (source === undefined || event.source === source);
  const stop = tail.follow(() => bell.ring());
  signal.addEventListener('abort', () => bell.ring(), { once: true });
  try {
    for (let through = after; !signal.aborted; ) {
      const live = tail.after(through);
      const step =
        live === undefined
          ? await readOn(reader, { filter, source, after: through })
          : { events: live.filter(isWanted), through: live.at(-1)?.position ?? through, isLive: true };
      if (step.through === through) {
        await bell.wait();
        continue;
      }
      through = step.through;
      yield step;
    }
  } finally {
    stop();
  }
}

/**
 * A page from the store. What the last position is, is asked before: when the page is the last one, everything up to there has
 * been seen, whether or not it was wanted. So the position gets to where the tail begins.
 */
async function readOn(
  reader: Pick<StoreReader, 'events' | 'lastPosition'>,
  { filter, source, after }: Pick<FeedOptions, 'filter' | 'source' | 'after'>,
): Promise<FeedStep> {
  const last = await reader.lastPosition();
  const { topic } = filter;
  const topics = topic === undefined ? { patterns: filter.patterns } : { topic };
  const page = await reader.events({ ...topics, source, after, order: 'asc', offset: 0, limit: PAGE_EVENTS });
  const end = page.events.at(-1)?.position ?? after;
  return { events: page.events, through: page.next ?? Math.max(end, last), isLive: false };
}
