import type { BackoffOptions } from '../client/backoff.ts';
import type { QueueConsumer } from '../queue/queue.ts';
import type { ConsumingStore } from '../store/store.ts';
import type { LogMessage } from './consume-messages.ts';

export interface WorkerSettings {
  /** Events and bytes that one transaction takes; at least one entry. */
  readonly eventsMax: number;
  readonly bytesMax: number;
  /** How long to wait for an entry when there is none. */
  readonly waitMs: number;
  /** Times that an entry may be refused. */
  readonly attemptsMax: number;
  /** Of the waits for a store or a queue that is away. */
  readonly backoff: BackoffOptions;
}

/**
 * 4,000 events are where a transaction's fixed cost is small beside its events. 8 MiB bound the memory that a bundle of large ones
 * takes, and are several entries: the ingest stage takes in no more into one after 1 MiB (ingest-thread.ts).
 */
export const WORKER_DEFAULTS = {
  eventsMax: 4000,
  bytesMax: 8 * 1024 * 1024,
  waitMs: 2000,
  attemptsMax: 5,
  backoff: { firstMs: 100, maxMs: 5000 },
} as const satisfies Partial<WorkerSettings>;

/** What a worker needs of its store. */
export type WorkerStore = Pick<ConsumingStore, 'consume' | 'deadLetter' | 'lastPosition' | 'close'>;

export interface WorkerParts {
  readonly queue: QueueConsumer;
  readonly openStore: () => Promise<WorkerStore>;
  /** Rejects when the signal is aborted first. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: (message: LogMessage) => void;
  /** {@link Worker.downReason} has changed. */
  readonly onState: () => void;
}
