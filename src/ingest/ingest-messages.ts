import type { EventLimits } from '../event.ts';
import type { QueueEvent, RedisQueueOptions } from '../queue/redis/options.ts';
import type { KeyStats } from '../store/store.ts';
import type { Failure } from '../store/store-messages.ts';
import type { BodyFormat } from './decode.ts';

/** What passes between the HTTP thread (commit-queue.ts) and the ingest thread (ingest-thread.ts). */
export interface IngestSettings {
  readonly limits: EventLimits;
  /** Module of the thread that the store runs on, as a URL, and what it is given. */
  readonly storeThread: string;
  readonly storeOptions: unknown;
  /** The store is on a server: at the start it is waited for. */
  readonly isServerStore: boolean;
  /** The queue server in front of the store, if there is one. */
  readonly queue: QueueOptions | undefined;
}

/** What can cross between threads of how a queue is opened. */
export type QueueOptions = Omit<RedisQueueOptions, 'onEvent' | 'storeMark'>;

/** What an answer waits for: that the store has the events, or that the queue in front of it has. */
export type LaneName = 'stored' | 'queued';

export interface ThreadRequest {
  readonly id: number;
  readonly lane: LaneName;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly format: BodyFormat;
  readonly atomic: boolean;
  readonly receipts: boolean;
}

export type ToThread =
  | { kind: 'publish'; requests: ThreadRequest[] }
  | { kind: 'find'; id: number; topic: string; eventId: string }
  | { kind: 'close' };

export type FromThread =
  /** The lane can take events. */
  | { kind: 'ready'; lane: LaneName; stats: KeyStats | undefined }
  /** The lane cannot take events until its next `ready`. */
  | { kind: 'down'; lane: LaneName; reason: string }
  /** All lanes have been ready. The mark: store-mark.ts. */
  | { kind: 'opened'; storeMark: string }
  /** A server is away at the start. */
  | { kind: 'waiting'; reason: string }
  /** A lane could not be opened at start; the thread ends. */
  | { kind: 'failed'; failure: Failure }
  /** What an operator should hear. */
  | { kind: 'log'; level: QueueEvent['level']; message: string }
  /** Opening takes long, and gets on. */
  | { kind: 'progress'; message: string }
  | { kind: 'answers'; answers: ThreadAnswer[]; stats: KeyStats | undefined }
  | { kind: 'found'; id: number; position?: number | undefined; failure?: Failure }
  | { kind: 'closed' };

export type ThreadAnswer =
  | { readonly id: number; readonly json: string }
  | { readonly id: number; readonly failure: Failure };
