import type { Config } from '../config.ts';
import type { Deliveries } from '../deliver/deliveries.ts';
import type { LiveTail } from '../deliver/live-tail.ts';
import type { Webhooks } from '../deliver/webhooks/webhooks.ts';
import type { Admission } from '../ingest/admission.ts';
import type { CommitQueue } from '../ingest/commit-queue.ts';
import type { QueueState } from '../queue/queue.ts';
import type { StoredSignal, StoreReader } from '../store/store-reader.ts';

/** What the edge is given to work with. */
export interface Parts {
  readonly config: Config;
  /** Room for publish requests. */
  readonly admission: Admission;
  /** Room for events on their way to readers. */
  readonly answers: Admission;
  /** Where publish requests go, and what is known of keys. */
  readonly queue: Pick<CommitQueue, 'check' | 'commit' | 'downReason' | 'find' | 'keyStats' | 'size'>;
  /** The queue server in front of the store, if there is one. */
  readonly backlog: Backlog | undefined;
  /** Those of this process that bring what is in the queue server to the store; undefined when it runs none. */
  readonly workers: WorkerStates | undefined;
  readonly reader: StoreReader;
  /** The newest events, for those who follow. */
  readonly tail: LiveTail;
  /** The subscriptions. */
  readonly deliveries: Deliveries;
  /** Those whose events are sent to a URL. */
  readonly webhooks: Pick<Webhooks, 'put' | 'rotateSecret' | 'status' | 'changed'>;
  /** Told when there may be something new to read. */
  readonly stored: StoredSignal;
  readonly lifecycle: Lifecycle;
}

/** What waits in a queue server. */
export interface Backlog {
  /** Asked of the server, now. @throws SekaliError `queue_unavailable` */
  state(): Promise<QueueState>;
}

export interface WorkerStates {
  /** Workers that are at work. */
  readonly count: number;
  /** Why some are not. */
  readonly downReason: string | undefined;
}

/** Where the server is between its start and its end. */
export class Lifecycle {
  readonly #draining = new AbortController();
  readonly #startedMs = performance.now();

  /** A shutdown has begun: no request is taken any more, and what does not end by itself is ended. */
  get draining(): boolean {
    return this.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#draining.signal;
  }

  drain(): void {
    this.#draining.abort();
  }

  /** By a clock that cannot jump. */
  get uptimeS(): number {
    return Math.round(performance.now() - this.#startedMs) / 1000;
  }
}
