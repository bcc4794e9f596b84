import { setTimeout as pause } from 'node:timers/promises';

export interface BreakerOptions {
  /** Failures one after the other that open it. */
  readonly failuresMax: number;
  /** How long it stays open at most, the first time; doubled each time that nothing has changed. */
  readonly firstMs: number;
  readonly maxMs: number;
  readonly random: () => number;
  /** It has opened, for so long. */
  readonly onOpen: (reason: string, forMs: number) => void;
}

/**
 * Keeps requests from a target that is down.
 *
 *   closed ── too many failures ──▶ open ── its time is over ──▶ half-open: one is let through
 *     ▲                              ▲                              │ │
 *     │                              └────────── it fails ──────────┘ │
 *     └────────────────────────────── it succeeds ◀───────────────────┘
 *
 * Nothing is fetched for a target that is not closed, so no event's attempts are spent on it.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #reason: string | undefined;
  /** How often it has opened since it was closed. */
  #opened = 0;
  /** By a clock that cannot jump; undefined while it is closed. */
  #openUntilMs: number | undefined;
  #isTrying = false;
  #changed = new AbortController();

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#openUntilMs === undefined;
  }

  get failures(): number {
    return this.#failures;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  /** Until one is let through: 0 when one is on its way, or may be. */
  get nextTryInMs(): number {
    if (this.#openUntilMs === undefined || this.#isTrying) return 0;
    return Math.max(0, Math.ceil(this.#openUntilMs - performance.now()));
  }

  /** Resolves when it is worth asking, or the signal is aborted. */
  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.#isTrying || this.nextTryInMs > 0)) {
      const waitMs = this.#isTrying ? 2 ** 31 - 1 : this.nextTryInMs;
      const until = AbortSignal.any([signal, this.#changed.signal]);
      await pause(waitMs, undefined, { signal: until }).catch(() => {});
    }
  }

  /** How many may be sent now, of `count`. Each of them has to come to an end: {@link succeed}, {@link fail} or {@link giveBack}. */
  admit(count: number): number {
    if (this.isClosed) return count;
    if (this.#isTrying || this.nextTryInMs > 0) return 0;
    this.#isTrying = true;
    return 1;
  }

  /** None of those admitted was sent, or nothing can be said of how it went. */
  giveBack(): void {
    if (this.#isTrying) this.#change(false);
  }

  succeed(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#reason = undefined;
    this.#openUntilMs = undefined;
    this.#change(false);
  }

  fail(reason: string): void {
    this.#failures++;
    this.#reason = reason;
    const opens = this.isClosed ? this.#failures >= this.#options.failuresMax : this.#isTrying;
    if (!opens) return;
    const { firstMs, maxMs, random, onOpen } = this.#options;
    const forMs = random() * Math.min(maxMs, firstMs * 2 ** Math.min(this.#opened++, 30));
    this.#openUntilMs = performance.now() + forMs;
    this.#change(false);
    onOpen(reason, forMs);
  }

  #change(isTrying: boolean): void {
    this.#isTrying = isTrying;
    this.#changed.abort();
    this.#changed = new AbortController();
  }
}
