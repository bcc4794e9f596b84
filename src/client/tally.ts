import { orAborted } from './or-aborted.ts';

interface Waiter extends PromiseWithResolvers<void> {
  /** The last call of `send` that it waits for. */
  readonly call: number;
  /** How many of those calls have not ended. */
  open: number;
  /** How many events were taken when they had. */
  target: number | undefined;
}

/**
 * Counts what a publisher hands to its spool and what is answered of it: a flush waits for what came before it, not for what others send
 * meanwhile. Both numbers count the same row of events. Where an earlier process has left some in front of them, the second is not known
 * until the spool was empty once, or an event was answered that is surely of this process: the *landmark*.
 */
export class Tally {
  readonly #waiters = new Set<Waiter>();
  /** Calls of `send` that have not ended. */
  readonly #open = new Set<Promise<unknown>>();
  #called = 0;
  #taken = 0;
  #answered: number | undefined;
  #landmark: { readonly text: string; number: number } | undefined;
  #isEnded = false;
  #left: Error | undefined;

  /** @param isDurable whether there may be events of an earlier process */
  constructor(isDurable: boolean) {
    this.#answered = isDurable ? undefined : 0;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Follows a call of `send` to its end. */
  async call<T>(work: Promise<T>): Promise<T> {
    const call = ++this.#called;
    this.#open.add(work);
    try {
      return await work;
    } finally {
      this.#open.delete(work);
      for (const waiter of this.#waiters) if (call <= waiter.call) waiter.open--;
      this.#check();
    }
  }

  /**
   * Follows an event into the spool.
   *
   * @param isOnly whether no earlier process can have sent the same text
   */
  async take(text: string, isOnly: boolean, append: () => Promise<void>): Promise<void> {
    const landmark =
      isOnly && this.#answered === undefined && !this.#landmark ? { text, number: 0 } : undefined;
    if (landmark) this.#landmark = landmark;
    try {
      await append();
    } catch (error) {
      if (landmark && this.#landmark === landmark) this.#landmark = undefined;
      throw error;
    }
    this.#taken++;
    if (landmark) landmark.number = this.#taken;
  }

  /** @param isEmpty whether nothing is left in the spool */
  settled(texts: readonly string[], isEmpty: boolean): void {
    if (this.#answered !== undefined) this.#answered += texts.length;
    else this.#findLandmark(texts);
    // Also when some were lost to damage.
    if (isEmpty) this.#answered = Math.max(this.#answered ?? 0, this.#taken);
    this.#check();
  }

  /** Fails those who wait now. */
  fail(error: Error): void {
    for (const { reject } of this.#waiters) reject(error);
  }

  /** Nothing more is sent. @param left what those are told who wait, now or later; without it all was answered */
  end(left: Error | undefined): void {
    this.#isEnded = true;
    this.#left = left;
    this.#check();
  }

  /**
   * Resolves when all is answered that was sent before, with what an earlier process has left.
   *
   * @throws what it is failed with; the signal's reason
   */
  async reached(signal?: AbortSignal): Promise<void> {
    // In a set, and not a race with a promise that lives as long as the publisher: that would keep each of them.
    const open = this.#open.size;
    const waiter: Waiter = { ...Promise.withResolvers<void>(), call: this.#called, open, target: undefined };
    this.#waiters.add(waiter);
    this.#check();
    try {
      await orAborted(waiter.promise, signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Resolves when no call of `send` is open. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open);
  }

  #findLandmark(texts: readonly string[]): void {
    const landmark = this.#landmark;
    const at = landmark ? texts.indexOf(landmark.text) : -1;
    if (!landmark || at < 0) return;
    // Without a number its call has not ended yet: the next event will do.
    if (landmark.number > 0) this.#answered = landmark.number + texts.length - 1 - at;
    this.#landmark = undefined;
  }

  #check(): void {
    for (const waiter of this.#waiters) {
      if (waiter.open === 0) waiter.target ??= this.#taken;
      if (this.#isEnded && this.#left) waiter.reject(this.#left);
      else if (this.#isEnded || (this.#answered ?? -1) >= (waiter.target ?? Number.POSITIVE_INFINITY)) {
        waiter.resolve();
      }
    }
  }
}
