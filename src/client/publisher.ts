import { BatchSender, type BatchSenderOptions } from './batch-sender.ts';
import { ClientError } from './client-error.ts';
import type { EventMaker } from './event-maker.ts';
import { Lot } from './lot.ts';
import type { AnyTopics, Draft, TopicOf } from './topics.ts';
import type { Transport } from './transport.ts';

export interface PublisherOptions extends BatchSenderOptions {
  /** Events in one request, at most. Default 500. */
  readonly maxBatch?: number;
  /** Bytes of events in one request, at most; one that is larger goes alone. Default 1 MB. */
  readonly maxBytes?: number;
  /** How long an event waits for company. Default 20 ms. */
  readonly lingerMs?: number;
  /** Bytes of events that wait, at most: beyond them `send` waits. Default 16 MB. */
  readonly bufferBytes?: number;
}

/** Calls of `send` that may wait at once: a caller who does not wait for them must not fill the memory. */
const WAITING_MAX = 10_000;

/**
 * Collects events and sends them in batches, one after the other, so events whose `send` was waited for are stored in
 * the order in which they were sent. An event is *waiting* in the buffer, *under way*, or answered; the buffer is bounded, and `send` resolves when the event
 * has its place in it.
 *
 * What is in the buffer is in memory alone: only after `flush` is everything with the server that was sent before.
 */
export class Publisher<Topics extends object = AnyTopics> implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #maker: EventMaker;
  readonly #sender: BatchSender;
  readonly #lot: Lot;
  readonly #lingerMs: number;
  readonly #abort = new AbortController();
  #room = Promise.withResolvers<void>();
  #waiting = 0;
  #running: Promise<void> | undefined;
  #making = new Set<Promise<unknown>>();
  #hurry = false;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(transport: Transport, maker: EventMaker, options: PublisherOptions) {
    const { maxBatch = 500, maxBytes = 1e6, lingerMs = 20, bufferBytes = 16e6 } = options;
    this.#transport = transport;
    this.#maker = maker;
    this.#sender = new BatchSender(transport, options, this.#abort.signal);
    this.#lingerMs = lingerMs;
    this.#lot = new Lot({ maxBatch, maxBytes, bufferBytes });
  }

  /**
   * Hands an event over. To wait for it before the next one is what holds a publisher back that is faster than its server.
   *
   * @returns its event_id
   * @throws ClientError `payload_invalid`, `option_invalid`; `publisher_closed`; `publisher_full` when 10,000 calls wait already
   */
  async send<Topic extends TopicOf<Topics>>(topic: Topic, draft: Draft<Topics[Topic]>): Promise<string> {
    if (this.#isClosed) throw new ClientError('publisher_closed', 'the publisher is closed');
    if (this.#waiting >= WAITING_MAX) {
      throw new ClientError('publisher_full', `${WAITING_MAX} events wait for room: wait for send()`, {
        retryable: true,
      });
    }
    this.#waiting++;
    const taken = this.#take(topic, draft);
    this.#making.add(taken);
    try {
      return await taken;
    } finally {
      this.#waiting--;
      this.#making.delete(taken);
    }
  }

  async #take(topic: string, draft: Draft<unknown>): Promise<string> {
    const event = await this.#maker.make(topic, draft);
    while (!this.#lot.hasRoom) await this.#room.promise;
    this.#lot.add(JSON.stringify(event));
    this.#running ??= this.#run();
    if (this.#lot.isFull) this.#wake?.();
    return event.event_id;
  }

  /**
   * Resolves when every event that was sent before has been answered.
   *
   * @throws ClientError `events_not_taken` when some were not, since the last flush: `details` has the first 100 of them, with their
   *   errors
   */
  async flush(): Promise<void> {
    this.#hurry = true;
    this.#wake?.();
    while (this.#making.size > 0) await Promise.allSettled(this.#making);
    while (this.#running !== undefined) await this.#running;
    this.#hurry = false;
    this.#sender.throwFailures();
  }

  /** Takes no more, and flushes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  /** What waits is given up at once, as failed; so are retries. */
  abort(reason: unknown = new ClientError('publisher_closed', 'the publisher was aborted')): void {
    this.#isClosed = true;
    this.#hurry = true;
    this.#abort.abort(reason);
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs while there is something to send. */
  async #run(): Promise<void> {
    await this.#linger();
    while (this.#lot.size > 0) {
      await this.#sender.send(this.#lot.take());
      this.#room.resolve();
      this.#room = Promise.withResolvers();
      // Those who waited for room come first: else a flush would end between them.
      await Promise.resolve();
      if (this.#lot.size > 0) await this.#linger();
    }
    this.#running = undefined;
  }

  /** Waits for company. */
  async #linger(): Promise<void> {
    if (this.#hurry || this.#lot.isFull || this.#lingerMs === 0) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#transport.pause(this.#lingerMs, woken.signal);
    this.#wake = undefined;
  }
}
