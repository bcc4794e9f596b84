import type { RedisQueueOptions } from '../queue/redis/options.ts';

export interface ConsumeSettings {
  /** Of the PostgreSQL database. */
  readonly databaseUrl: string;
  readonly queue: Omit<RedisQueueOptions, 'onEvent' | 'storeMark'>;
  readonly workerCount: number;
}

/** What the consume thread (consume-thread.ts) is started with, as its workerData. */
export interface ConsumeThreadSettings extends ConsumeSettings {
  /** Of the store that the workers work for (store-mark.ts). */
  readonly storeMark: string;
}

export type ToConsume =
  /** Stop claiming, finish what is held. */
  { kind: 'close' };

export type FromConsume =
  | LogMessage
  /** How many workers run, and what all or some of them wait for. */
  | { kind: 'state'; workers: number; downReason?: string }
  /** The last message: all is finished or given back, and every connection is closed. */
  | { kind: 'closed' };

export interface LogMessage {
  readonly kind: 'log';
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number>>;
}

export type LogLevel = 'info' | 'warn' | 'error';
