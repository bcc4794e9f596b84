import type { Queue, QueueConsumer } from './queue.ts';
import type { RedisQueueOptions } from './redis/options.ts';

/**
 * Opens the producers' end of a queue. Its adapter is loaded here: whoever has no queue loads none.
 *
 * @throws SekaliError `queue_unavailable` when the server cannot be reached now; `config_invalid` when it never will be
 */
export async function openQueue(options: RedisQueueOptions): Promise<Queue> {
  const { RedisQueue } = await import('./redis/redis-queue.ts');
  return await RedisQueue.open(options);
}

/** Opens a worker's end. @throws as {@link openQueue} */
export async function openConsumer(options: RedisQueueOptions): Promise<QueueConsumer> {
  const { RedisConsumer } = await import('./redis/redis-consumer.ts');
  return await RedisConsumer.open(options);
}
