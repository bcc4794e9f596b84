import { Worker } from 'node:worker_threads';
import { messageOf } from '../../message-of.ts';
import { threadUrl } from '../../thread-url.ts';
import type { Job, Outcome, SealThreadData } from './seal-thread.ts';

/** The thread that seals and merges, as the index sees it. It starts with the first job: a small store never has one. */
export class Background {
  readonly #data: SealThreadData;
  readonly #onOutcome: (outcome: Outcome) => void;
  #worker: Worker | undefined;
  #jobs = 0;
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  /** @param onOutcome called once for each job, in a turn of its own; never after `close` */
  constructor(data: SealThreadData, onOutcome: (outcome: Outcome) => void) {
    this.#data = data;
    this.#onOutcome = onOutcome;
  }

  send(job: Job): void {
    this.#worker ??= this.#start();
    this.#jobs++;
    this.#worker.postMessage(job);
  }

  /** Resolves when every job has had its outcome, or the thread has been closed. */
  idle(): Promise<void> {
    if (this.#jobs === 0 || this.#isClosed) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Breaks off what is being done: that is no different from a crash, and what it leaves is removed with the next open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#becomeIdle();
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(threadUrl(import.meta.url, './seal-thread'), { workerData: this.#data });
    worker.on('message', (outcome: Outcome) => this.#settle(outcome));
    // It dies of what is no failure of a job: no memory, a broken installation. All jobs die with it.
    worker.on('error', (error) => {
      const detail = `the thread that seals keys has died: ${messageOf(error)}`;
      while (this.#jobs > 0) this.#settle({ kind: 'seal', failure: { code: undefined, detail } });
    });
    return worker;
  }

  #settle(outcome: Outcome): void {
    this.#jobs--;
    if (this.#isClosed) return;
    this.#onOutcome(outcome);
    if (this.#jobs === 0) this.#becomeIdle();
  }

  #becomeIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
