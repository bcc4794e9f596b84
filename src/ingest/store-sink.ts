import type { EventLimits } from '../event.ts';
import { failpoint } from '../failpoint.ts';
import { EventPack } from '../store/event-pack.ts';
import type { ThreadedStore } from '../store/threaded-store.ts';
import { BatchDecoder } from './decode.ts';
import type { Sink } from './lane.ts';
import type { OpenGroup, Outcome } from './open-group.ts';

/** What a sink needs of a store: one on a thread of its own has it. */
export type SinkStore = Pick<ThreadedStore, 'secrets' | 'append' | 'close'>;

/** Groups go to the store, and are answered with its verdicts. */
export class StoreSink implements Sink {
  readonly decoder: BatchDecoder;
  readonly #store: SinkStore;

  constructor(store: SinkStore, limits: EventLimits) {
    this.#store = store;
    this.decoder = new BatchDecoder(limits, store.secrets);
  }

  async commit(group: OpenGroup): Promise<Outcome[]> {
    const { receipts, events } = await this.#store.append(group);
    group.takeBack(events);
    failpoint('answer.before');
    return group.outcomes(receipts);
  }

  /** An empty group writes the counters, so a full disk is found here. */
  async prove(): Promise<void> {
    await this.#store.append({ events: new EventPack(), batches: [] });
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}
