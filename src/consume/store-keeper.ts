import { type BackoffOptions, backoffMs } from '../client/backoff.ts';
import { SekaliError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { WorkerStore } from './worker-settings.ts';

export interface StoreKeeperParts {
  readonly open: () => Promise<WorkerStore>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly backoff: BackoffOptions;
  /** The store went away, and why; or came back: undefined. */
  readonly onState: (downReason: string | undefined) => void;
}

/**
 * The store of one worker. States: `closed` → (opened, and it answers) → `open` → (a call failed) → `closed`.
 *
 * Only `entry_refused` is about what was asked. Whatever else goes wrong is the store's doing: it is closed and opened again, as
 * its port wants it, until it takes what it is given. Waits grow until something has gone *through*: a store that opens
 * and fails at every call would be opened without end otherwise.
 */
export class StoreKeeper {
  readonly #parts: StoreKeeperParts;
  #store: WorkerStore | undefined;
  #failures = 0;

  constructor(parts: StoreKeeperParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#store !== undefined;
  }

  /** Waits until the store answers. @returns false when the signal was aborted first */
  async check(signal: AbortSignal): Promise<boolean> {
    return (await this.use(signal, (store) => store.lastPosition())) !== undefined;
  }

  /**
   * Does the work, and again when the store went away over it.
   *
   * @returns undefined when the signal was aborted while the store was away
   * @throws SekaliError `entry_refused`
   */
  async use<T extends {}>(
    signal: AbortSignal,
    work: (store: WorkerStore) => Promise<T>,
  ): Promise<T | undefined> {
    for (;;) {
      const store = await this.#opened(signal);
      if (store === undefined) return undefined;
      try {
        const result = await work(store);
        this.#succeed();
        return result;
      } catch (error) {
        if (error instanceof SekaliError && error.code === 'entry_refused') {
          this.#succeed();
          throw error;
        }
        await this.#lose(error);
      }
    }
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async #opened(signal: AbortSignal): Promise<WorkerStore | undefined> {
    while (this.#store === undefined) {
      if (!(await this.#waitedOut(signal))) return undefined;
      let store: WorkerStore | undefined;
      try {
        store = await this.#parts.open();
        await store.lastPosition();
        this.#store = store;
      } catch (error) {
        this.#store = store;
        await this.#lose(error);
      }
    }
    return this.#store;
  }

  async #waitedOut(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#failures === 0) return true;
    try {
      await this.#parts.sleep(backoffMs(this.#failures, this.#parts.backoff), signal);
      return true;
    } catch {
      return false;
    }
  }

  #succeed(): void {
    if (this.#failures > 0) this.#parts.onState(undefined);
    this.#failures = 0;
  }

  async #lose(error: unknown): Promise<void> {
    this.#failures++;
    this.#parts.onState(messageOf(error));
    try {
      await this.close();
    } catch {
      // What cannot be closed is as lost as it was.
    }
  }
}
