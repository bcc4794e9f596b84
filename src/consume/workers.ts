import { Worker } from 'node:worker_threads';
import { threadUrl } from '../thread-url.ts';
import type {
  ConsumeSettings,
  ConsumeThreadSettings,
  FromConsume,
  LogMessage,
  ToConsume,
} from './consume-messages.ts';

export interface WorkersEvents {
  onLog(message: LogMessage): void;
  /** The thread died, which it never should. */
  onDeath(error: unknown): void;
}

/**
 * The HTTP thread's end of the thread that brings what is in the queue to the store (consume-thread.ts).
 *
 * States: made → `start` → running, with as many workers as it last told → `close` → closed.
 */
export class Workers {
  readonly #settings: ConsumeSettings;
  readonly #events: WorkersEvents;
  readonly #closed = Promise.withResolvers<void>();
  #worker: Worker | undefined;
  #state: { readonly workers: number; readonly downReason?: string } = { workers: 0, downReason: 'starting' };

  constructor(settings: ConsumeSettings, events: WorkersEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** To be called once, when the tables of the database are there; with the mark of the store that is in them. */
  start(storeMark: string): void {
    const workerData = { ...this.#settings, storeMark } satisfies ConsumeThreadSettings;
    this.#worker = new Worker(threadUrl(import.meta.url, './consume-thread'), { workerData });
    this.#worker.on('message', (message: FromConsume) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#state = { workers: 0, downReason: 'the thread of the workers has died' };
      this.#closed.resolve();
      this.#events.onDeath(error);
    });
  }

  /** Workers that are at work. */
  get count(): number {
    return this.#state.workers;
  }

  /** Why some are not. */
  get downReason(): string | undefined {
    return this.#state.downReason;
  }

  /** Resolves when they have finished what they hold, or given it back. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    this.#worker.postMessage({ kind: 'close' } satisfies ToConsume);
    await this.#closed.promise;
    await this.#worker.terminate();
  }

  #receive(message: FromConsume): void {
    if (message.kind === 'log') this.#events.onLog(message);
    else if (message.kind === 'state') this.#state = message;
    else this.#closed.resolve();
  }
}
