import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../message-of.ts';

/** What a bite has come to: something that may go on, or nothing that there is to do for now. */
export type Bite = 'worked' | 'done';

/** Time between sweeps, and the part of the time between that bites may take: what they do is for later, commits are now. */
const SWEEP_EVERY_MS = 1000;
const SHARE = 0.5;

export interface JanitorWork {
  /** Does a little; `done` when there is nothing to do for now. It is tried again when it fails. */
  bite(): Promise<Bite>;
  /** It has failed for this reason, which is not the reason of the time before. */
  onFailure(reason: string): void;
  /** Lets go of what the work holds. A bite that is under way fails at once, whatever it waits for, and is as good as not begun or whole. */
  close(): Promise<void>;
}

/** Does work in bites, with pauses between them. */
export class Janitor {
  readonly #work: JanitorWork;
  readonly #stopped = new AbortController();
  #loop: Promise<void> | undefined;
  #reason = '';

  constructor(work: JanitorWork) {
    this.#work = work;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Resolves when nothing is being done any more, and what the work holds is let go of: that comes first, for a server that is away
   * without a word would be waited for, statement by statement.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#work.close();
    await this.#loop;
  }

  /** Does all there is to do. */
  async runOnce(): Promise<void> {
    while ((await this.#work.bite()) !== 'done');
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let waitMs = SWEEP_EVERY_MS;
    while (!signal.aborted) {
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      waitMs = await this.#bite();
    }
  }

  /** @returns the pause after it, in milliseconds */
  async #bite(): Promise<number> {
    const startedAt = performance.now();
    try {
      const outcome = await this.#work.bite();
      this.#reason = '';
      return outcome === 'done' ? SWEEP_EVERY_MS : (performance.now() - startedAt) * (1 / SHARE - 1);
    } catch (error) {
      // Stopping it is no failure of the work.
      if (this.#stopped.signal.aborted) return 0;
      const reason = messageOf(error);
      if (reason !== this.#reason) this.#work.onFailure(reason);
      this.#reason = reason;
      return SWEEP_EVERY_MS;
    }
  }
}
