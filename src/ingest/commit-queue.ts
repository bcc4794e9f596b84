import { Worker } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import type { KeyStats } from '../store/store.ts';
import { fromFailure } from '../store/store-messages.ts';
import { threadUrl } from '../thread-url.ts';
import type { BodyFormat } from './decode.ts';
import type { FromThread, IngestSettings, ThreadAnswer, ThreadRequest, ToThread } from './ingest-messages.ts';

export interface QueuedRequest {
  /** Handed over: its memory is gone from the caller's thread afterwards. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly format: BodyFormat;
  readonly atomic: boolean;
  readonly receipts: boolean;
}

interface Waiter {
  resolve(json: string): void;
  reject(error: unknown): void;
}

export interface CommitQueueEvents {
  /** Opening the store takes long, and gets on. */
  onProgress(message: string): void;
  /** The store went down, or came back (reason undefined). */
  onState(reason: string | undefined): void;
  /** The thread died, which it never should; nothing can be stored any more. */
  onDeath(error: unknown): void;
}

/**
 * The HTTP thread's end of the ingest thread: hands requests over and resolves each when its commit group is durable.
 * Admission bounds how much of it there can be.
 */
export class CommitQueue {
  readonly #worker: Worker;
  readonly #events: CommitQueueEvents;
  readonly #waiting = new Map<number, Waiter>();
  readonly #finding = new Map<
    number,
    { resolve(position: number | undefined): void; reject(error: unknown): void }
  >();
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #outbox: ThreadRequest[] = [];
  #nextId = 1;
  #downReason: string | undefined = 'starting';
  #keyStats: KeyStats = { keys: 0, bytes: 0, sealedKeys: 0, sealedBytes: 0 };

  constructor(settings: IngestSettings, events: CommitQueueEvents) {
    this.#events = events;
    this.#worker = new Worker(threadUrl(import.meta.url, './ingest-thread'), { workerData: settings });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#die(error));
  }

  /** Resolves when the store is open; rejects when it cannot be opened. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Why the store cannot take events, or undefined when it can. */
  get downReason(): string | undefined {
    return this.#downReason;
  }

  /** Requests that are waiting for their commit. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Figures of the key index, as of the last commit. */
  get keyStats(): KeyStats {
    return this.#keyStats;
  }

  /**
   * @returns the JSON of the answer, once what it tells of is durable
   * @throws SekaliError what the request is answered with otherwise
   */
  commit(request: QueuedRequest): Promise<string> {
    if (this.#downReason !== undefined) {
      return Promise.reject(new SekaliError('store_unavailable', this.#downReason));
    }
    const id = this.#nextId++;
    // Requests of one turn of the event loop cross in one message: handing over costs more than a small request.
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    this.#outbox.push({ ...request, id });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** The position of a key, or undefined. */
  find(topic: string, eventId: string): Promise<number | undefined> {
    const id = this.#nextId++;
    this.#post({ kind: 'find', id, topic, eventId });
    return new Promise((resolve, reject) => this.#finding.set(id, { resolve, reject }));
  }

  /** Commits what it has taken, then closes the store. */
  async close(): Promise<void> {
    this.#flush();
    this.#post({ kind: 'close' });
    await this.#closed.promise;
    await this.#worker.terminate();
  }

  #flush(): void {
    const requests = this.#outbox;
    if (requests.length === 0) return;
    this.#outbox = [];
    this.#worker.postMessage(
      { kind: 'publish', requests } satisfies ToThread,
      requests.map((request) => request.body.buffer),
    );
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'answers':
        if (message.stats !== undefined) this.#keyStats = message.stats;
        for (const answer of message.answers) this.#settle(answer);
        return;
      case 'found':
        this.#settleFound(message);
        return;
      case 'ready':
        this.#downReason = undefined;
        this.#keyStats = message.stats;
        this.#opened.resolve();
        this.#events.onState(undefined);
        return;
      case 'failed':
        this.#opened.reject(fromFailure(message.failure));
        this.#closed.resolve();
        return;
      case 'progress':
        this.#events.onProgress(message.message);
        return;
      case 'down':
        this.#downReason = message.reason;
        this.#events.onState(message.reason);
        return;
      case 'closed':
        this.#closed.resolve();
        return;
    }
  }

  #settle(answer: ThreadAnswer): void {
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('json' in answer) waiter?.resolve(answer.json);
    else waiter?.reject(fromFailure(answer.failure));
  }

  #settleFound({ id, position, failure }: Extract<FromThread, { kind: 'found' }>): void {
    const waiter = this.#finding.get(id);
    this.#finding.delete(id);
    if (failure === undefined) waiter?.resolve(position);
    else waiter?.reject(fromFailure(failure));
  }

  #die(cause: unknown): void {
    this.#downReason = 'the ingest thread has died';
    const error = new SekaliError('store_unavailable', this.#downReason, { cause });
    this.#opened.reject(cause);
    this.#closed.resolve();
    for (const waiter of [...this.#waiting.values(), ...this.#finding.values()]) waiter.reject(error);
    this.#waiting.clear();
    this.#finding.clear();
    this.#events.onDeath(cause);
  }
}
