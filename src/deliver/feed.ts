import type { PrintedPage, StoreReader } from '../store/store-reader.ts';
import type { TopicFilter } from '../topic-filter.ts';
import { Bell } from './bell.ts';

import type { LiveTail } from './live-tail.ts';
import { allOf, type PageRun, wantedOf } from './page-runs.ts';

export interface FeedOptions {
  readonly filter: TopicFilter;
  readonly source?: string | undefined;
  /** Events above this position. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/** The next events of a feed, oldest first: none, when only its position has moved. */
export interface FeedStep {
  /** Printed as frames. */
  readonly page: PrintedPage;
  /** Which of the events of the page belong to the feed. */
  readonly runs: readonly PageRun[];
  /** Up to here everything that matches has been given: where to go on. */
  readonly through: number;
  /** Whether they come from the live tail, and so to others who follow it at the same time. */
  readonly isLive: boolean;
}

const PAGE_EVENTS = 1000;

/** Length of payloads of a page from the store, which is in memory until its last event has been taken. */
const PAGE_LENGTH = 256 * 1024;

/**
 * The events of some topics, from a position on and without an end: from the store until it has caught up, and then live from
 * the tail in memory; from the store again, if it falls behind that. In the order of positions, without a gap and without a
 * repeat. It reads when it is asked for more, so a slow taker costs a page.
 *
 * Ends when the signal is aborted. @throws what the reader does
 */
export async function* feed(
  reader: Pick<StoreReader, 'printed' | 'lastPosition'>,
  tail: LiveTail,
  { filter, source, after, signal }: FeedOptions,
): AsyncGenerator<FeedStep> {
  const bell = new Bell();
  const stop = tail.follow(() => bell.ring());
  signal.addEventListener('abort', () => bell.ring(), { once: true });
  try {
    for (let through = after; !signal.aborted; ) {
      const step = tail.reaches(through)
        ? liveStep(tail, { filter, source, after: through })
        : await readOn(reader, { filter, source, after: through });
      if (step === undefined || step.through === through) {
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

function liveStep(
  tail: LiveTail,
  { filter, source, after }: Pick<FeedOptions, 'filter' | 'source' | 'after'>,
): FeedStep | undefined {
  const found = tail.after(after);
  if (found === undefined) return undefined;
  const { page } = found;
  return { page, runs: wantedOf(found, filter, source), through: page.positions.at(-1)!, isLive: true };
}

/**
 * A page from the store. What the last position is, is asked before: when the page is the last one, everything up to there has
 * been seen, whether or not it was wanted. So the position gets to where the tail begins.
 */
async function readOn(
  reader: Pick<StoreReader, 'printed' | 'lastPosition'>,
  { filter, source, after }: Pick<FeedOptions, 'filter' | 'source' | 'after'>,
): Promise<FeedStep> {
  const last = await reader.lastPosition();
  const { topic } = filter;
  const topics = topic === undefined ? { patterns: filter.patterns } : { topic };
  const query = { ...topics, source, after, order: 'asc', offset: 0, limit: PAGE_EVENTS } as const;
  const page = await reader.printed({ ...query, lengthMax: PAGE_LENGTH, printing: 'frames' });
  const end = page.positions.at(-1) ?? after;
  return { page, runs: allOf(page), through: page.next ?? Math.max(end, last), isLive: false };
}
