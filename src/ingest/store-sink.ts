import type { EventLimits } from '../event.ts';
import { failpoint } from '../failpoint.ts';
import { EventPack } from '../store/event-pack.ts';
import type { ThreadedStore } from '../store/threaded-store.ts';
import { BatchDecoder } from './decode.ts';
import type { Sink } from './lane.ts';
import type { OpenGroup, Outcome } from './open-group.ts';

/** Groups go to the store, and are answered with its verdicts. */
export class StoreSink implements Sink {
  readonly decoder: BatchDecoder;
  readonly store: ThreadedStore;

  constructor(store: ThreadedStore, limits: EventLimits) {
    this.store = store;
    this.decoder = new BatchDecoder(limits, store.secrets);
  }

  async commit(group: OpenGroup): Promise<Outcome[]> {
    const { receipts, events } = await this.store.append(group);
    group.takeBack(events);
    failpoint('answer.before');
    return group.outcomes(receipts);
  }

  /** An empty group writes the counters, so a full disk is found here. */
  async prove(): Promise<void> {
    await this.store.append({ events: new EventPack(), batches: [] });
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}
