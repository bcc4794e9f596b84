import { messageOf } from '../../message-of.ts';
import type { Bite } from './retention.ts';

/** Time between sweeps, and the part of the thread's time that they may take: what they do is for later, commits are now. */
const SWEEP_EVERY_MS = 1000;
const SHARE = 0.05;

export interface JanitorWork {
  /** Does a little; `done` when there is nothing to do for now. @throws what the database throws; it is tried again */
  bite(): Bite;
  /** It has failed for this reason, which is not the reason of the time before. */
  onFailure(reason: string): void;
}

/** Does work in bites between commits, on the thread that commits. */
export class Janitor {
  readonly #work: JanitorWork;
  #timer: NodeJS.Timeout | undefined;
  #reason = '';

  constructor(work: JanitorWork) {
    this.#work = work;
  }

  start(): void {
    this.#later(SWEEP_EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => this.#runOnce(), ms);
    this.#timer.unref();
  }

  #runOnce(): void {
    const startedAt = performance.now();
    let waitMs = SWEEP_EVERY_MS;
    try {
      const outcome = this.#work.bite();
      this.#reason = '';
      if (outcome !== 'done') waitMs = (performance.now() - startedAt) * (1 / SHARE - 1);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#reason) this.#work.onFailure(reason);
      this.#reason = reason;
    }
    this.#later(waitMs);
  }
}
