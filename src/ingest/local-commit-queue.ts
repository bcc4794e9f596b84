import type { EventLimits } from '../event.ts';
import type { KeyStats, Store } from '../store/store.ts';
import { fromFailure } from '../store/store-messages.ts';
import type { StoredSignal } from '../store/store-reader.ts';
import type { QueuedRequest } from './commit-queue.ts';
import type { LaneName, ThreadAnswer } from './ingest-messages.ts';
import { Lane, STORED_GROUP_BYTES_MAX } from './lane.ts';
import { StoreSink } from './store-sink.ts';

/**
 * As {@link CommitQueue}, on the thread that calls it, over a store that is in memory: there is no disk to wait for, and so
 * nothing that other threads could do meanwhile. The same lane decodes the requests, groups and answers them.
 */
export class LocalCommitQueue implements StoredSignal {
  readonly #store: Store;
  readonly #lane: Lane;
  readonly #waiting = new Map<number, PromiseWithResolvers<string>>();
  readonly #listeners = new Set<() => void>();
  #nextId = 1;

  constructor(store: Store, limits: EventLimits) {
    this.#store = store;
    const sink = new StoreSink(
      {
        secrets: store.secrets,
        append: async (group) => ({ receipts: await store.append(group), events: group.events }),
        close: () => store.close(),
      },
      limits,
    );
    this.#lane = new Lane({
      unavailable: 'store_unavailable',
      groupBytesMax: STORED_GROUP_BYTES_MAX,
      open: async () => sink,
      onReady() {},
      onDown() {},
      answer: (answers) => this.#settle(answers),
    });
    this.#lane.use(sink);
  }

  downReason(lane: LaneName): string | undefined {
    return lane === 'stored' ? undefined : 'there is no queue server';
  }

  check(): void {
    this.#lane.check();
  }

  get size(): number {
    return this.#waiting.size;
  }

  get keyStats(): KeyStats {
    return this.#store.keyStats();
  }

  commit({ lane: _lane, ...request }: QueuedRequest): Promise<string> {
    const id = this.#nextId++;
    const waiter = Promise.withResolvers<string>();
    this.#waiting.set(id, waiter);
    this.#lane.push({ ...request, lane: 'stored', id });
    this.#lane.turn();
    return waiter.promise;
  }

  async find(topic: string, eventId: string): Promise<number | undefined> {
    return await this.#store.find(topic, eventId);
  }

  onStored(listener: () => void): () => void {
    const own = () => listener(); // so that the same one may be there twice
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Resolves once all that it has taken by now is stored, or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#waiting.values()].map(({ promise }) => promise));
  }

  /** Commits what it has taken, then closes the store. */
  async close(): Promise<void> {
    await this.#lane.close();
  }

  #settle(answers: readonly ThreadAnswer[]): void {
    for (const answer of answers) {
      const waiter = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('json' in answer) waiter?.resolve(answer.json);
      else waiter?.reject(fromFailure(answer.failure));
    }
    for (const listener of this.#listeners) listener();
  }
}
