import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SekaliError } from '../errors.ts';
import type { DefinitionCondition } from '../store/definition-condition.ts';
import { fromFailure } from '../store/store-messages.ts';
import type {
  DeadSelection,
  LeaseRef,
  PutDone,
  Settled,
  Subscription,
  SubscriptionDefinition,
} from '../store/subscription-store.ts';
import { threadUrl } from '../thread-url.ts';
import type { DeadLetterEntry, Deliveries, Fetched, GivenBack, LagOf, Start } from './deliveries.ts';
import type {
  DeliveryMethod,
  FromSubscriptions,
  SubscriptionThreadData,
  ToSubscriptions,
} from './subscription-messages.ts';

/** Calls that may wait for the thread; beyond it a consumer is told to come back. Each consumer has one at a time, mostly. */
const WAITING_MAX = 10_000;

export interface ThreadedSubscriptionsOptions {
  /** A store that has been opened for writing before. */
  readonly dataDir: string;
  readonly onWarning: (message: string) => void;
  /** The thread has ended by itself: every call fails from now on. */
  readonly onDeath: (error: unknown) => void;
}

/** Subscriptions through a thread of their own, where the store is in files. */
export class ThreadedSubscriptions implements Deliveries {
  readonly #worker: Worker;
  readonly #options: ThreadedSubscriptionsOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  /** Why nothing goes any more. */
  #end: SekaliError | undefined;

  private constructor(worker: Worker, options: ThreadedSubscriptionsOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.on('message', (message: FromSubscriptions) => this.#take(message));
    worker.on('error', (error) => this.#die(error));
    worker.on('exit', (code) => this.#die(new Error(`it ended with ${code}`)));
  }

  /** @throws SekaliError `schema_newer`, `store_damaged`, `store_unavailable` */
  static open(options: ThreadedSubscriptionsOptions): Promise<ThreadedSubscriptions> {
    const { dataDir, onWarning } = options;
    return new Promise((resolve, reject) => {
      const worker = new Worker(threadUrl(import.meta.url, './embedded/subscription-thread'), {
        workerData: { dataDir } satisfies SubscriptionThreadData,
      });
      const onExit = (code: number) => reject(new Error(`the thread of subscriptions ended with ${code}`));
      const onMessage = (message: FromSubscriptions) => {
        if (message.kind === 'warning') {
          onWarning(message.message);
          return;
        }
        worker.off('message', onMessage).off('error', reject).off('exit', onExit);
        if (message.kind === 'ready') resolve(new ThreadedSubscriptions(worker, options));
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

  put(
    name: string,
    definition: SubscriptionDefinition,
    start: Start,
    condition?: DefinitionCondition,
  ): Promise<PutDone | undefined> {
    return this.#call('put', name, definition, start, condition);
  }

  get(name: string): Promise<Subscription | undefined> {
    return this.#call('get', name);
  }

  list(page: { after: string | undefined; limit: number }): Promise<Subscription[]> {
    return this.#call('list', page);
  }

  remove(name: string, condition?: DefinitionCondition): Promise<void> {
    return this.#call('remove', name, condition);
  }

  fetch(name: string, options: { eventsMax: number; version?: string }): Promise<Fetched> {
    return this.#call('fetch', name, options);
  }

  ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    return this.#call('ack', name, leases);
  }

  nack(name: string, leases: readonly LeaseRef[], given: GivenBack): Promise<Settled[]> {
    return this.#call('nack', name, leases, given);
  }

  extend(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    return this.#call('extend', name, leases);
  }

  deadLetters(name: string, page: { after: number; limit: number }): Promise<DeadLetterEntry[]> {
    return this.#call('deadLetters', name, page);
  }

  redrive(name: string, which: DeadSelection): Promise<number> {
    return this.#call('redrive', name, which);
  }

  discard(name: string, which: DeadSelection): Promise<number> {
    return this.#call('discard', name, which);
  }

  seek(name: string, to: Start, options: { dryRun: boolean }): Promise<{ cursor: number; events: number }> {
    return this.#call('seek', name, to, options);
  }

  lag(of: LagOf): Promise<{ events: number; ageMs: number | undefined }> {
    return this.#call('lag', of);
  }

  /** Finishes what was asked for before. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = new SekaliError('shutting_down', 'the subscriptions are closed');
    const exited = once(this.#worker, 'exit');
    this.#worker.postMessage('close' satisfies ToSubscriptions);
    await exited;
  }

  #call<T>(method: DeliveryMethod, ...args: readonly unknown[]): Promise<T> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#waiting.size >= WAITING_MAX) {
      return Promise.reject(
        new SekaliError('overloaded', `${WAITING_MAX} calls of consumers are waiting already`),
      );
    }
    const id = this.#nextId++;
    const waiter = Promise.withResolvers<unknown>();
    this.#worker.postMessage({ id, method, args } satisfies ToSubscriptions);
    this.#waiting.set(id, waiter);
    return waiter.promise as Promise<T>;
  }

  #take(message: FromSubscriptions): void {
    if (message.kind === 'warning') this.#options.onWarning(message.message);
    if (message.kind !== 'result' && message.kind !== 'failed') return;
    const waiter = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'result') waiter?.resolve(message.value);
    else waiter?.reject(fromFailure(message.failure));
  }

  /** Also at the end that was asked for, when nobody waits any more. */
  #die(error: unknown): void {
    const isNews = this.#end === undefined;
    this.#end ??= new SekaliError('store_unavailable', 'the thread of subscriptions has died', {
      cause: error,
    });
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
    if (isNews) this.#options.onDeath(error);
  }
}
