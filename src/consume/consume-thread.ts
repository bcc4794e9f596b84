/**
 * The thread of the workers: each has a connection of its own to the queue, and a store of its own. A queue or a store that
 * is away when a worker starts is waited for, as it is later.
 *
 * States of the thread: running → (`close`) → closing: nothing is claimed any more, what is held is finished → closed. A worker
 * that fails otherwise than worker.ts foresees is an error in Sekali: it is told, and another takes its place.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { backoffMs, wait } from '../client/backoff.ts';
import { messageOf } from '../message-of.ts';
import { openConsumer } from '../queue/open-queue.ts';
import type { QueueConsumer } from '../queue/queue.ts';
import type { QueueEvent } from '../queue/redis/options.ts';
import type { ConsumingStore } from '../store/store.ts';
import { anotherStore, storeMarkOf } from '../store/store-mark.ts';
import type { ConsumeThreadSettings, FromConsume, ToConsume } from './consume-messages.ts';
import { Worker } from './worker.ts';
import { WORKER_DEFAULTS } from './worker-settings.ts';

/** What a worker is: one that is at work, or the reason why there is none. */
type Place = Worker | { readonly downReason: string };

class ConsumeThread {
  readonly #port: MessagePort;
  readonly #settings: ConsumeThreadSettings;
  readonly #closing = new AbortController();
  readonly #places: Place[] = [];
  #told = '';

  constructor(port: MessagePort, settings: ConsumeThreadSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    this.#port.on('message', (message: ToConsume) => {
      if (message.kind === 'close') this.#closing.abort();
    });
    const places = Array.from({ length: this.#settings.workerCount }, (_, place) => this.#occupy(place));
    await Promise.all(places);
    this.#post({ kind: 'closed' });
    this.#port.close();
  }

  /** Keeps a worker at work. */
  async #occupy(place: number): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      if (failures > 0) {
        const ms = backoffMs(failures, WORKER_DEFAULTS.backoff);
        await wait(ms, signal).catch(() => undefined); // aborted: the loop sees it
      } else this.#set(place, { downReason: 'starting' });
      if (!signal.aborted) await this.#work(place, signal);
    }
  }

  async #work(place: number, signal: AbortSignal): Promise<void> {
    const { queue: options, storeMark } = this.#settings;
    let queue: QueueConsumer | undefined;
    try {
      queue = await openConsumer({ ...options, storeMark, onEvent: (event) => this.#tell(event) });
      const worker = this.#worker(queue);
      this.#set(place, worker);
      await worker.start(signal);
    } catch (error) {
      const isOpen = queue !== undefined;
      const message = isOpen ? 'A worker has failed.' : 'A worker cannot reach its queue.';
      const reason = messageOf(error);
      this.#post({ kind: 'log', level: isOpen ? 'error' : 'warn', message, fields: { reason } });
      this.#set(place, { downReason: reason });
    } finally {
      await queue?.close();
    }
  }

  #worker(queue: QueueConsumer): Worker {
    return new Worker(WORKER_DEFAULTS, {
      queue,
      openStore: () => openStore(this.#settings),
      sleep: wait,
      log: (message) => this.#post(message),
      onState: () => this.#tellState(),
    });
  }

  #set(place: number, what: Place): void {
    this.#places[place] = what;
    this.#tellState();
  }

  /** That a connection is lost and found each worker tells itself. */
  #tell({ kind, level, detail }: QueueEvent): void {
    if (kind !== 'away' && kind !== 'back') this.#post({ kind: 'log', level, message: detail });
  }

  /** What all workers wait for is told once. */
  #tellState(): void {
    const workers = this.#places.filter((place) => place instanceof Worker).length;
    const reasons = new Set(
      this.#places.map(({ downReason }) => downReason).filter((each) => each !== undefined),
    );
    const downReason = [...reasons].join('; ');
    const state: FromConsume = { kind: 'state', workers, ...(downReason === '' ? {} : { downReason }) };
    const told = JSON.stringify(state);
    if (told !== this.#told) this.#post(state);
    this.#told = told;
  }

  #post(message: FromConsume): void {
    this.#port.postMessage(message);
  }
}

/** Whoever has no workers loads no driver. The schema is the business of who starts them. */
async function openStore({ databaseUrl, storeMark }: ConsumeThreadSettings): Promise<ConsumingStore> {
  const { PostgresStore } = await import('../store/postgres/postgres-store.ts');
  const store = await PostgresStore.open({ databaseUrl, migrate: false });
  if (storeMarkOf(store.secrets) === storeMark) return store;
  await store.close();
  throw anotherStore();
}

if (parentPort) await new ConsumeThread(parentPort, workerData as ConsumeThreadSettings).start();
