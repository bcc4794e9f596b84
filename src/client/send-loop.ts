import type { RequestBounds, Spool } from './spool.ts';
import type { Transport } from './transport.ts';

export interface SendLoopOptions {
  readonly transport: Transport;
  readonly spool: Spool;
  readonly bounds: RequestBounds;
  readonly lingerMs: number;
  readonly signal: AbortSignal;
  /** Sends what comes next, and settles it. */
  readonly sendPage: () => Promise<void>;
  /** Told when that rejects: the spool has failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Runs while there is something to send, one page after the other. */
export class SendLoop {
  readonly #options: SendLoopOptions;
  #running: Promise<void> | undefined;
  /** How many want that events no longer wait for company. */
  #hurries = 0;
  #wake: (() => void) | undefined;
  #isStumbling = false;

  constructor(options: SendLoopOptions) {
    this.#options = options;
  }

  /** To be called when something came. */
  start(): void {
    const { spool, bounds } = this.#options;
    if (this.#isWanted) this.#running ??= this.#run();
    // What comes while the spool fails does not mend it.
    if (!this.#isStumbling && spool.isFull(bounds)) this.#wake?.();
  }

  /** Events no longer wait for company, until as many have called `relax`. */
  hurry(): void {
    this.#hurries++;
    this.#wake?.();
  }

  relax(): void {
    this.#hurries--;
  }

  /** Resolves when all is sent, or given up. */
  async ended(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** What is in memory is sent even when all is given up: so it fails, one by one. */
  get #isWanted(): boolean {
    const { spool, signal } = this.#options;
    return !spool.isEmpty && !(spool.isDurable && signal.aborted);
  }

  async #run(): Promise<void> {
    await this.#linger();
    while (this.#isWanted) {
      await this.#options.sendPage().catch((error: unknown) => this.#stumble(error));
      // Those who waited for room come first: else a flush would end between them.
      await Promise.resolve();
      if (this.#isWanted) await this.#linger();
    }
    this.#running = undefined;
  }

  /** It is tried again, for those who wait for room in the spool depend on that. */
  async #stumble(error: unknown): Promise<void> {
    const { signal, transport, onFailure } = this.#options;
    if (signal.aborted) return;
    onFailure(error);
    this.#isStumbling = true;
    await this.#pause(transport.backoff.maxMs);
    this.#isStumbling = false;
  }

  /** Waits for company. */
  async #linger(): Promise<void> {
    const { spool, bounds, lingerMs } = this.#options;
    if (this.#hurries > 0 || spool.isFull(bounds) || lingerMs === 0) return;
    await this.#pause(lingerMs);
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#options.transport.pause(ms, woken.signal);
    this.#wake = undefined;
  }
}
