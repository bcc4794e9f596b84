import type { EventLimits } from '../event.ts';
import type { KeyStats } from '../store/store.ts';
import type { Failure } from '../store/store-messages.ts';
import type { BodyFormat } from './decode.ts';

/** What passes between the HTTP thread (commit-queue.ts) and the ingest thread (ingest-thread.ts). */
export interface IngestSettings {
  readonly limits: EventLimits;
  /** Module of the thread that the store runs on, as a URL, and what it is given. */
  readonly storeThread: string;
  readonly storeOptions: unknown;
}

export interface ThreadRequest {
  readonly id: number;
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
  /** The store can take events. */
  | { kind: 'ready'; stats: KeyStats }
  /** The store could not be opened at start; the thread ends. */
  | { kind: 'failed'; failure: Failure }
  /** Opening takes long, and gets on. */
  | { kind: 'progress'; message: string }
  /** The store cannot take events until the next `ready`. */
  | { kind: 'down'; reason: string }
  | { kind: 'answers'; answers: ThreadAnswer[]; stats: KeyStats | undefined }
  | { kind: 'found'; id: number; position?: number | undefined; failure?: Failure }
  | { kind: 'closed' };

export type ThreadAnswer =
  | { readonly id: number; readonly json: string }
  | { readonly id: number; readonly failure: Failure };
