import type { EventLimits } from '../event.ts';
import { failpoint } from '../failpoint.ts';
import type { Queue } from '../queue/queue.ts';
import type { StoreSecrets } from '../store/store.ts';
import { BatchDecoder } from './decode.ts';
import type { Sink } from './lane.ts';
import type { OpenGroup, Outcome } from './open-group.ts';

/** Groups go to the queue, and are answered before anybody knows their verdicts. The queue stays open when its sink is closed. */
export class QueueSink implements Sink {
  /** Of its own: a decoder numbers the topics of one open pack at a time. */
  readonly decoder: BatchDecoder;
  readonly #queue: Queue;

  /** @param secrets those of the store, which is not asked for them: it may be away meanwhile */
  constructor(queue: Queue, limits: EventLimits, secrets: StoreSecrets) {
    this.#queue = queue;
    this.decoder = new BatchDecoder(limits, secrets);
  }

  async commit(group: OpenGroup): Promise<Outcome[]> {
    // Of requests that did not decode there is nothing to enqueue, not even a count.
    if (group.events.length > 0 || group.batches.some(({ rejected }) => rejected > 0))
      await this.#queue.enqueue(group);
    failpoint('answer.before');
    return group.outcomes(undefined);
  }

  async prove(): Promise<void> {
    await this.#queue.state();
  }

  async close(): Promise<void> {}
}
