import { ConsumerRun } from './consumer-run.ts';
import { Delivery } from './delivery.ts';
import type { ConsumerOptions, Handler } from './handler.ts';
import type { AnyTopics, EventsOf } from './topics.ts';
import type { Transport } from './transport.ts';

/** A subscription, as one of any number of processes takes events of it. */
export class Consumer<Topics extends object = AnyTopics, Pattern extends string = string> {
  readonly #transport: Transport;
  readonly #name: string;
  readonly #options: ConsumerOptions;

  constructor(transport: Transport, name: string, options: ConsumerOptions) {
    this.#transport = transport;
    this.#name = name;
    this.#options = options;
  }

  /**
   * Makes the subscription as it was defined, then hands each of its events to the handler: one that returns, or resolves, has
   * done its work (ack); one that throws gets the event again, after the subscription's backoff (nack, with the error's message as
   * the reason).
   *
   * Each event comes at least once: for effects that must not happen twice, see `exactlyOnce`. Once the signal is aborted nothing more
   * is taken; what runs is finished, what has not begun is given back, and then `run` resolves. A server that is away is waited for.
   *
   * @throws RequestError when a retry cannot help, after what ran is finished: the key is wrong, the subscription was removed, its events are
   *   sent to a webhook (`webhook_conflict`)
   */
  async run(
    handler: Handler<EventsOf<Topics, Pattern>>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const delivery = new Delivery(this.#transport, this.#name);
    const { topics } = this.#options;
    try {
      if (topics) await delivery.put(topics, this.#options, signal);
    } catch (error) {
      if (signal?.aborted) return;
      throw error;
    }
    await new ConsumerRun(this.#transport, delivery, handler as Handler<unknown>, this.#options).run(signal);
  }
}
