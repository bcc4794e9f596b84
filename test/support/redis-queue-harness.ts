import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openConsumer, openQueue } from '../../src/queue/open-queue.ts';
import type { QueueEvent, RedisQueueOptions } from '../../src/queue/redis/options.ts';
import { BYTES_MAX, CLAIM_MS, type QueueHarness } from '../contract/queue/case.ts';
import { RedisServer } from './services/redis-server.ts';

/** A queue on a Redis of its own, that waits for its disk before it answers. */
export class RedisQueueHarness implements QueueHarness {
  /** What the queues and consumers have told, oldest first. */
  readonly events: QueueEvent[] = [];
  readonly server: RedisServer;
  readonly #opened: { close(): Promise<void> }[] = [];

  constructor(server: RedisServer) {
    this.server = server;
  }

  static async start(): Promise<RedisQueueHarness> {
    return new RedisQueueHarness(await RedisServer.start({ appendonly: true, appendfsync: 'always' }));
  }

  readonly openQueue = async (change: Partial<RedisQueueOptions> = {}) => {
    const queue = await openQueue(this.#options(change));
    this.#opened.push(queue);
    return queue;
  };

  readonly openConsumer = async (change: Partial<RedisQueueOptions> = {}) => {
    const consumer = await openConsumer(this.#options(change));
    this.#opened.push(consumer);
    return consumer;
  };

  readonly kill = async () => await this.server.kill();

  readonly restart = async () => await this.server.restart();

  readonly loseMemory = async () => {
    await this.kill();
    rmSync(join(this.server.dir, 'appendonlydir'), { recursive: true, force: true });
    await this.restart();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#opened) await end.close();
    await this.server[Symbol.asyncDispose]();
  }

  #options(change: Partial<RedisQueueOptions>): RedisQueueOptions {
    const onEvent = (event: QueueEvent) => void this.events.push(event);
    const sizes = { bytesMax: BYTES_MAX, claimMs: CLAIM_MS, replicasMin: 0 };
    return { url: this.server.url, queueKey: 'sekali-test', ...sizes, onEvent, ...change };
  }
}
