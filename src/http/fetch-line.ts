import { setTimeout as pause } from 'node:timers/promises';
import { Bell } from '../deliver/bell.ts';
import type { Fetched } from '../deliver/deliveries.ts';

/** Between two looks that find nothing: commits that come faster are looked at together. */
const LOOK_EVERY_MS = 20;

/** For so long, one who is not to wait is not answered with nothing while the looks have not come to the end of the log. */
const LOOK_ON_MS = 5000;

/**
 * A look is made at least so often while anybody waits. What is stored, or becomes due, rings; but an acknowledgement that comes to
 * another instance, and makes room there for more in flight, does not.
 */
const LOOK_AT_LEAST_EVERY_MS = 1000;

export interface FetchOptions {
  readonly eventsMax: number;
  /** Aborted when it is not to wait any longer: it is answered after one more look. */
  readonly enough: AbortSignal;
  /** Aborted when nobody is there any more to answer to. */
  readonly gone: AbortSignal;
}

interface Waiter {
  readonly eventsMax: number;
  readonly enough: AbortSignal;
  readonly gone: AbortSignal;
  readonly cameAtMs: number;
  readonly answer: PromiseWithResolvers<Fetched>;
}

interface LineParts {
  fetch(eventsMax: number): Promise<Fetched>;
  giveBack(untaken: Fetched): Promise<void>;
  /** Nobody is in it any more, and nobody may join it. */
  onEmpty(): void;
}

/** Those who wait for events of one subscription, in the order in which they came. It serves while anybody is in it. */
export class FetchLine {
  readonly #parts: LineParts;
  readonly #bell = new Bell();
  #waiters: Waiter[] = [];
  /** Somebody came or has had enough: the next look is not put off. */
  #isPressing = false;
  #isServing = false;
  #lookedAtMs = 0;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  async join({ eventsMax, enough, gone }: FetchOptions): Promise<Fetched> {
    const answer = Promise.withResolvers<Fetched>();
    const press = () => {
      this.#isPressing = true;
      this.ring();
    };
    enough.addEventListener('abort', press);
    gone.addEventListener('abort', press);
    this.#waiters.push({ eventsMax, enough, gone, answer, cameAtMs: performance.now() });
    press();
    if (!this.#isServing) void this.#serve();
    try {
      return await answer.promise;
    } finally {
      enough.removeEventListener('abort', press);
      gone.removeEventListener('abort', press);
    }
  }

  ring(): void {
    this.#bell.ring();
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      this.#isPressing = false;
      // Those who come while the look is made are not answered with what it did not find.
      const looking = this.#waiters.length;
      this.#lookedAtMs = performance.now();
      try {
        const fetched = await this.#parts.fetch(first.eventsMax);
        if (fetched.events.length > 0) await this.#hand(first, fetched);
        else {
          this.#dismiss(looking, fetched);
          await this.#wait(fetched.nextDueInMs);
        }
      } catch (error) {
        for (const { answer } of this.#waiters.splice(0)) answer.reject(error);
      }
    }
    // In the same turn as the look at who is next: nobody can have joined since.
    this.#parts.onEmpty();
  }

  async #hand(first: Waiter, fetched: Fetched): Promise<void> {
    if (first.gone.aborted) await this.#parts.giveBack(fetched);
    else {
      this.#waiters.shift();
      first.answer.resolve(fetched);
    }
  }

  /** Who is next; those who are gone leave the line. */
  #first(): Waiter | undefined {
    for (const { gone, answer } of this.#waiters) if (gone.aborted) answer.resolve(NOTHING);
    this.#waiters = this.#waiters.filter(({ gone }) => !gone.aborted);
    return this.#waiters[0];
  }

  /** Tells those who wait no longer that there is nothing. */
  #dismiss(looking: number, nothing: Fetched): void {
    const hasMore = nothing.nextDueInMs === 0;
    this.#waiters = this.#waiters.filter(({ enough, cameAtMs, answer }, i) => {
      const isPatient = !enough.aborted || (hasMore && performance.now() - cameAtMs < LOOK_ON_MS);
      const leaves = i < looking && !isPatient;
      if (leaves) answer.resolve(nothing);
      return !leaves;
    });
  }

  async #wait(nextDueInMs = LOOK_AT_LEAST_EVERY_MS): Promise<void> {
    if (this.#waiters.length === 0 || this.#isPressing || nextDueInMs === 0) return;
    const due = setTimeout(() => this.ring(), Math.min(nextDueInMs, LOOK_AT_LEAST_EVERY_MS));
    await this.#bell.wait();
    clearTimeout(due);
    const restMs = this.#lookedAtMs + LOOK_EVERY_MS - performance.now();
    if (!this.#isPressing && restMs > 0) await pause(restMs);
  }
}

const NOTHING: Fetched = { lease: '', leaseMs: 0, events: [], nextDueInMs: undefined };
