import { Worker } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import { EventPack } from './event-pack.ts';
import type { CommitGroup, KeyStats, Receipts, StoreSecrets } from './store.ts';
import { type FromStore, fromFailure, type ToStore } from './store-messages.ts';

/** What a group became, and its pack, whose memory is to be used again. */
export interface AppendedGroup {
  readonly receipts: Receipts;
  readonly events: EventPack;
}

/** A store on a thread of its own, so that what it does overlaps with what the caller does. */
export class ThreadedStore {
  readonly secrets: StoreSecrets;
  keyStats: KeyStats;
  readonly #worker: Worker;
  readonly #onProgress: (message: string) => void;
  readonly #finding = new Map<number, PromiseWithResolvers<number | undefined>>();
  #appending: PromiseWithResolvers<AppendedGroup> | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #nextId = 1;
  #death: SekaliError | undefined;

  private constructor(
    worker: Worker,
    { secrets, stats }: FromStore & { kind: 'ready' },
    onProgress: (message: string) => void,
  ) {
    this.#worker = worker;
    this.#onProgress = onProgress;
    this.secrets = secrets;
    this.keyStats = stats;
    worker.on('message', (message: FromStore) => this.#take(message));
    worker.on('error', (error) => this.#die(error));
  }

  /**
   * Starts the thread and waits until the store is open.
   *
   * @param thread a module that calls serveStore
   * @param onProgress told what takes long, at the opening and later
   * @throws SekaliError what opening the store throws
   */
  static open(
    thread: URL,
    workerData: unknown,
    onProgress: (message: string) => void,
  ): Promise<ThreadedStore> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(thread, { workerData });
      const onExit = (code: number) => reject(new Error(`the store's thread ended with ${code}`));
      const onMessage = (message: FromStore) => {
        if (message.kind === 'progress') {
          onProgress(message.message);
          return;
        }
        worker.off('message', onMessage).off('error', reject).off('exit', onExit);
        if (message.kind === 'ready') resolve(new ThreadedStore(worker, message, onProgress));
        else {
          reject(
            message.kind === 'refused'
              ? fromFailure(message.failure)
              : new Error(`unexpected ${message.kind}`),
          );
          void worker.terminate();
        }
      };
      worker.on('message', onMessage).on('error', reject).on('exit', onExit);
    });
  }

  /** Appends a group; its pack is handed over, and another one comes back in its place. One at a time. */
  append({ events, batches }: CommitGroup): Promise<AppendedGroup> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const message = events.toMessage();
    this.#appending = Promise.withResolvers();
    this.#worker.postMessage({ kind: 'append', events: message, batches } satisfies ToStore, [
      message.bytes,
      message.words,
    ]);
    return this.#appending.promise;
  }

  find(topic: string, eventId: string): Promise<number | undefined> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const id = this.#nextId++;
    const found = Promise.withResolvers<number | undefined>();
    this.#finding.set(id, found);
    this.#worker.postMessage({ kind: 'find', id, topic, eventId } satisfies ToStore);
    return found.promise;
  }

  async close(): Promise<void> {
    if (this.#death === undefined) {
      this.#worker.postMessage({ kind: 'close' } satisfies ToStore);
      await this.#closed.promise;
    }
    await this.#worker.terminate();
  }

  #take(message: FromStore): void {
    if (message.kind === 'appended') {
      this.keyStats = message.stats;
      const { receipts, events } = message;
      this.#settleAppend()?.resolve({ receipts, events: EventPack.fromMessage(events) });
    } else if (message.kind === 'failed') this.#settleAppend()?.reject(fromFailure(message.failure));
    else if (message.kind === 'found') {
      const waiter = this.#finding.get(message.id);
      this.#finding.delete(message.id);
      if (message.failure) waiter?.reject(fromFailure(message.failure));
      else waiter?.resolve(message.position);
    } else if (message.kind === 'progress') this.#onProgress(message.message);
    else if (message.kind === 'closed') this.#closed.resolve();
  }

  #settleAppend(): PromiseWithResolvers<AppendedGroup> | undefined {
    const appending = this.#appending;
    this.#appending = undefined;
    return appending;
  }

  #die(error: unknown): void {
    this.#death = new SekaliError('store_unavailable', `the store's thread has died: ${String(error)}`);
    this.#settleAppend()?.reject(this.#death);
    for (const waiter of this.#finding.values()) waiter.reject(this.#death);
    this.#finding.clear();
    this.#closed.resolve();
  }
}
