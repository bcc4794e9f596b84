import { Worker } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import type { KeyStats } from '../store/store.ts';
import { fromFailure } from '../store/store-messages.ts';
import type { StoredSignal } from '../store/store-reader.ts';
import { threadUrl } from '../thread-url.ts';
import type { BodyFormat } from './decode.ts';
import type {
  FromThread,
  IngestSettings,
  LaneName,
  ThreadAnswer,
  ThreadRequest,
  ToThread,
} from './ingest-messages.ts';

export interface QueuedRequest {
  readonly lane: LaneName;
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
  /** What an operator should hear. */
  onLog(level: 'info' | 'warn' | 'error', message: string): void;
  /** A server is away at the start; told each reason once. */
  onWait(reason: string): void;
  /** A lane went down, or can take events (reason undefined). */
  onState(lane: LaneName, reason: string | undefined): void;
  /** The thread died, which it never should; nothing can be stored any more. */
  onDeath(error: unknown): void;
}

/**
 * The HTTP thread's end of the ingest thread: hands requests over and resolves each when its commit group is durable.
 * Admission bounds how much of it there can be.
 */
export class CommitQueue implements StoredSignal {
  readonly #worker: Worker;
  readonly #events: CommitQueueEvents;
  readonly #waiting = new Map<number, Waiter>();
  readonly #finding = new Map<
    number,
    { resolve(position: number | undefined): void; reject(error: unknown): void }
  >();
  readonly #opened = Promise.withResolvers<string>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #listeners = new Set<() => void>();
  #outbox: ThreadRequest[] = [];
  #nextId = 1;
  readonly #downReasons: Record<LaneName, string | undefined> = { stored: 'starting', queued: 'starting' };
  #keyStats: KeyStats = { keys: 0, bytes: 0, sealedKeys: 0, sealedBytes: 0 };

  constructor(settings: IngestSettings, events: CommitQueueEvents) {
    this.#events = events;
    this.#worker = new Worker(threadUrl(import.meta.url, './ingest-thread'), { workerData: settings });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#die(error));
  }

  /**
   * Resolves, with the mark of the store (store-mark.ts), when each lane has been ready; rejects when one cannot be. Servers that
   * are away are waited for.
   */
  get opened(): Promise<string> {
    return this.#opened.promise;
  }

  /** Why a lane cannot take events, or undefined when it can. */
  downReason(lane: LaneName): string | undefined {
    return this.#downReasons[lane];
  }

  /** @throws SekaliError `store_unavailable` or `queue_unavailable`, while the lane cannot take events */
  check(lane: LaneName): void {
    const reason = this.#downReasons[lane];
    if (reason !== undefined) throw unavailable(lane, reason);
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
   * @returns the JSON of the answer, once what it tells of is durable, where its lane leads
   * @throws SekaliError what the request is answered with otherwise
   */
  commit(request: QueuedRequest): Promise<string> {
    const reason = this.#downReasons[request.lane];
    if (reason !== undefined) return Promise.reject(unavailable(request.lane, reason));
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

  /** Told after each commit, and now and then for nothing: a group may have held only duplicates. */
  onStored(listener: () => void): () => void {
    const own = () => listener(); // so that the same one may be there twice
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
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
        for (const listener of this.#listeners) listener();
        return;
      case 'found':
        this.#settleFound(message);
        return;
      case 'ready':
        this.#downReasons[message.lane] = undefined;
        this.#keyStats = message.stats ?? this.#keyStats;
        this.#events.onState(message.lane, undefined);
        return;
      case 'opened':
        this.#opened.resolve(message.storeMark);
        return;
      case 'waiting':
        for (const lane of LANES) this.#downReasons[lane] &&= message.reason;
        this.#events.onWait(message.reason);
        return;
      case 'failed':
        this.#opened.reject(fromFailure(message.failure));
        this.#closed.resolve();
        return;
      case 'log':
        this.#events.onLog(message.level, message.message);
        return;
      case 'progress':
        this.#events.onProgress(message.message);
        return;
      case 'down':
        this.#downReasons[message.lane] = message.reason;
        this.#events.onState(message.lane, message.reason);
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
    const reason = 'the ingest thread has died';
    this.#downReasons.stored = this.#downReasons.queued = reason;
    const error = new SekaliError('store_unavailable', reason, { cause });
    this.#opened.reject(cause);
    this.#closed.resolve();
    for (const waiter of [...this.#waiting.values(), ...this.#finding.values()]) waiter.reject(error);
    this.#waiting.clear();
    this.#finding.clear();
    this.#events.onDeath(cause);
  }
}

const LANES: readonly LaneName[] = ['stored', 'queued'];

function unavailable(lane: LaneName, reason: string): SekaliError {
  return new SekaliError(lane === 'stored' ? 'store_unavailable' : 'queue_unavailable', reason);
}
