import { SekaliError } from './errors.ts';
import { reach } from './ingest/reach.ts';
import { messageOf } from './message-of.ts';
import { openQueue } from './queue/open-queue.ts';
import type { Queue, QueueState } from './queue/queue.ts';
import type { RedisQueueOptions } from './queue/redis/options.ts';

/**
 * The queue server as the HTTP thread asks it for its state, over a connection of its own: what the ingest thread enqueues is
 * not held up by it. The server may be away at the start; then it is tried again until it is there.
 */
export class QueueBacklog {
  #queue: Queue | undefined;
  #awayReason = 'starting';
  readonly #closing = new AbortController();
  readonly #opening: Promise<void>;

  constructor(options: Omit<RedisQueueOptions, 'onEvent'>) {
    this.#opening = this.#open(options);
  }

  /** @throws SekaliError `queue_unavailable` */
  async state(): Promise<QueueState> {
    if (this.#queue === undefined) throw new SekaliError('queue_unavailable', this.#awayReason);
    return await this.#queue.state();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    await this.#queue?.close();
  }

  async #open(options: Omit<RedisQueueOptions, 'onEvent'>): Promise<void> {
    try {
      this.#queue = await reach(
        // What there is to say of the server, the ingest thread says.
        async () => await openQueue({ ...options, onEvent() {} }),
        { signal: this.#closing.signal, onWait: (reason) => (this.#awayReason = reason) },
      );
    } catch (error) {
      // Of what waiting does not mend, the ingest thread makes an end.
      this.#awayReason = messageOf(error);
    }
  }
}
