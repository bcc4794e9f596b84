import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SekaliError } from '../../errors.ts';
import { threadUrl } from '../../thread-url.ts';
import type {
  Conflict,
  ConflictQuery,
  Counters,
  EventPage,
  EventQuery,
  PrintedPage,
  PrintedQuery,
  SequencePage,
  SequenceQuery,
  StoredEvent,
  StoreReader,
  TopicSummary,
} from '../store-reader.ts';
import type { CountQuery } from './count-matching.ts';
import type { ReadCall, ReadMethod, ReadResult } from './read-thread.ts';

/** Calls that may wait for the thread; beyond it a reader is told to come back. */
const WAITING_MAX = 1000;

interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Reads the SQLite store through a thread of its own. */
export class ThreadedReader implements StoreReader {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;
  #death: unknown;

  /** @param dataDir a store that has been opened for writing before */
  constructor(dataDir: string) {
    this.#worker = new Worker(threadUrl(import.meta.url, './read-thread'), { workerData: { dataDir } });
    this.#worker.on('message', (result: ReadResult) => this.#settle(result));
    this.#worker.on('error', (error) => this.#die(error));
  }

  events(query: EventQuery): Promise<EventPage> {
    return this.#call('events', query);
  }

  printed(query: PrintedQuery): Promise<PrintedPage> {
    return this.#call('printed', query);
  }

  eventAt(position: number): Promise<StoredEvent | undefined> {
    return this.#call('eventAt', position);
  }

  eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return this.#call('eventsAt', positions);
  }

  countEvents(query: CountQuery): Promise<number> {
    return this.#call('countEvents', query);
  }

  sequences(query: SequenceQuery): Promise<SequencePage> {
    return this.#call('sequences', query);
  }

  positionBefore(timeMs: number): Promise<number> {
    return this.#call('positionBefore', timeMs);
  }

  lastPosition(): Promise<number> {
    return this.#call('lastPosition');
  }

  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]> {
    return this.#call('topics', page);
  }

  counters(): Promise<Counters> {
    return this.#call('counters');
  }

  conflicts(query: ConflictQuery): Promise<Conflict[]> {
    return this.#call('conflicts', query);
  }

  async close(): Promise<void> {
    if (this.#death !== undefined) return;
    const exited = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await exited;
  }

  #call<T>(method: ReadMethod, argument?: unknown): Promise<T> {
    if (this.#death !== undefined) {
      return Promise.reject(
        new SekaliError('store_unavailable', 'the read thread has died', { cause: this.#death }),
      );
    }
    if (this.#waiting.size >= WAITING_MAX) {
      return Promise.reject(new SekaliError('overloaded', `${WAITING_MAX} reads are waiting already`));
    }
    const id = this.#nextId++;
    this.#worker.postMessage({ id, method, argument } satisfies ReadCall);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle({ id, value, failure }: ReadResult): void {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiter?.resolve(value);
    else waiter?.reject(new SekaliError('store_unavailable', `the store could not be read: ${failure}`));
  }

  #die(error: unknown): void {
    this.#death = error;
    for (const waiter of this.#waiting.values()) {
      waiter.reject(new SekaliError('store_unavailable', 'the read thread has died', { cause: error }));
    }
    this.#waiting.clear();
  }
}
