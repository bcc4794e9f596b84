import type { Config } from '../config.ts';
import type { Admission } from '../ingest/admission.ts';
import type { CommitQueue } from '../ingest/commit-queue.ts';
import type { StoreReader } from '../store/store.ts';

/** What the edge is given to work with. */
export interface Parts {
  readonly config: Config;
  /** Room for publish requests. */
  readonly admission: Admission;
  /** Room for events on their way to readers. */
  readonly answers: Admission;
  readonly queue: CommitQueue;
  readonly reader: StoreReader;
  readonly lifecycle: Lifecycle;
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
