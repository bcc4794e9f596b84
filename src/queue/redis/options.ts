/** How a queue on Redis, or a Valkey, is reached and what it may take. */
export interface RedisQueueOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  /** Names the queue on the server. All instances that share it are one queue. */
  readonly queueKey: string;
  /** Of the store that the entries are for (store-mark.ts): the queue of another one is refused. Whoever only reads has none. */
  readonly storeMark?: string | undefined;
  /** Bytes of entries that are not acknowledged yet; `enqueue` refuses beyond. */
  readonly bytesMax: number;
  /** How long a worker may take for an entry, in milliseconds, before another is given it. */
  readonly claimMs: number;
  /** Replicas that must have an entry before it is acknowledged; 0: none. */
  readonly replicasMin: number;
  readonly onEvent: (event: QueueEvent) => void;
}

/** What an operator should hear of, though no caller is waiting for it. */
export interface QueueEvent {
  /** `memory_lost`: acknowledged entries are gone. `memory_in_doubt`: some may be. */
  readonly kind: 'away' | 'back' | 'memory_lost' | 'memory_in_doubt';
  readonly level: 'info' | 'warn' | 'error';
  /** A sentence or more, with the figures that are known. */
  readonly detail: string;
}

/** The keys of a queue. They share a hash tag, so that in a Redis Cluster they are on one node, as scripts need them. */
export interface QueueKeys {
  /** Stream: an entry of it is an entry of the queue. It has those that are not acknowledged. */
  readonly entries: string;
  /** Hash: `epoch`, `enqueued` (events ever), `bytes` (of the entries in the stream), `store` (whose it is: own-queue.ts). */
  readonly totals: string;
}

export function keysOf(queueKey: string): QueueKeys {
  return { entries: `{${queueKey}}:entries`, totals: `{${queueKey}}:totals` };
}

/** The consumer group of all workers. */
export const GROUP = 'sekali';
