import { setTimeout as pause } from 'node:timers/promises';
import type { EventQuery, PrintedPage, StoredSignal, StoreReader } from '../store/store-reader.ts';
import { Bell } from './bell.ts';

/** Between two looks: commits that come faster are looked at together. */
const LOOK_EVERY_MS = 20;

/**
 * The first page that is not empty, or the empty one once the signal is aborted.
 *
 * @throws what the reader does
 */
export async function waitForPage(
  reader: Pick<StoreReader, 'printed' | 'lastPosition'>,
  stored: StoredSignal,
  query: EventQuery,
  signal: AbortSignal,
): Promise<PrintedPage> {
  const bell = new Bell();
  const stop = stored.onStored(() => bell.ring());
  signal.addEventListener('abort', () => bell.ring(), { once: true });
  try {
    for (let { after } = query; ; ) {
      // Asked for before the page: up to here a page that is empty and the last one has looked, and the next need not look again.
      const last = await reader.lastPosition();
      const page = await reader.printed({ ...query, after, printing: 'items' });
      // A page that is empty and not the last one has only looked so far; the next one is the client's to ask for.
      if (page.positions.length > 0 || page.next !== undefined || signal.aborted) return page;
      // What an offset has passed over has to be passed over again.
      if (query.offset === 0) after = Math.max(after ?? 0, last);
      await bell.wait();
      await pause(LOOK_EVERY_MS);
    }
  } finally {
    stop();
  }
}
