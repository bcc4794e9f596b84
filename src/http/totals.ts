import type { QueueState } from '../queue/queue.ts';
import type { Counters } from '../store/store-reader.ts';
import type { Parts } from './parts.ts';

/** The counters of the store and of the queue in front of it, as one. */
export interface Totals extends Omit<Counters, 'consumed'> {
  /** Accepted, and not stored yet. */
  readonly queued: number;
  /** Of the queue server, if there is one. */
  readonly backlog: QueueState | undefined;
}

/**
 * received = unique_processed + duplicate_dropped + dead_lettered + queued, at every read, and received never goes back.
 *
 * The store counts each event of the queue as it is consumed (C), the queue as it is enqueued (E): queued = E − C. Store and
 * queue are two servers, so there is no one moment at which both are read; but the store is read first, and then the queue. All
 * that was consumed had been enqueued before, so queued is never below 0; and of received, which is what came past the queue (D),
 * plus C, plus queued, C falls out: it is D + E, of which each only rises. The other way round a consumption between the two
 * reads would be counted twice or not at all.
 *
 * @throws SekaliError `store_unavailable`, `queue_unavailable`
 */
export async function readStoreAndQueue({
  reader,
  backlog,
}: Pick<Parts, 'reader' | 'backlog'>): Promise<Totals> {
  const { consumed, received, ...counters } = await reader.counters();
  const state = await backlog?.state();
  // A queue that was restored to an earlier state may count less than has been consumed from it.
  const queued = state === undefined ? 0 : Math.max(0, state.enqueued - (consumed[state.epoch] ?? 0));
  return { ...counters, received: received + queued, queued, backlog: state };
}
