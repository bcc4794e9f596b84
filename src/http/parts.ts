import type { Config } from '../config.ts';
import type { Admission } from '../ingest/admission.ts';
import type { CommitQueue } from '../ingest/commit-queue.ts';
import type { QueueState } from '../queue/queue.ts';
import type { StoreReader } from '../store/store.ts';

/** What the edge is given to work with. */
export interface Parts {
  readonly config: Config;
  /** Room for publish requests. */
  readonly admission: Admission;
  /** Room for events on their way to readers. */
  readonly answers: Admission;
  readonly queue: CommitQueue;
  /** The queue server in front of the store, if there is one. */
  readonly backlog: Backlog | undefined;
  /** Those of this process that bring what is in the queue server to the store; undefined when it runs none. */
  readonly workers: WorkerStates | undefined;
  readonly reader: StoreReader;
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
  /** Set once, when a shutdown begins: no request is taken any more. */
  draining = false;
  readonly #startedMs = performance.now();

  /** By a clock that cannot jump. */
  get uptimeS(): number {
    return Math.round(performance.now() - this.#startedMs) / 1000;
  }
}
