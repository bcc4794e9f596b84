import type { ErrorCode } from '../errors.ts';
import type { EventLimits } from '../event.ts';
import type { BodyFormat } from './decode.ts';

/** What passes between the HTTP thread (commit-queue.ts) and the commit thread (commit-thread.ts). */
export interface CommitSettings {
  readonly dataDir: string;
  readonly limits: EventLimits;
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
  /** The store can take events; `keys` is how many it has. */
  | { kind: 'ready'; keys: number }
  /** The store could not be opened at start; the thread ends. */
  | { kind: 'failed'; failure: Failure }
  /** The store cannot take events until the next `ready`. */
  | { kind: 'down'; reason: string }
  | { kind: 'answers'; answers: ThreadAnswer[] }
  | { kind: 'found'; id: number; position?: number | undefined; failure?: string }
  | { kind: 'closed' };

export type ThreadAnswer =
  | { readonly id: number; readonly json: string }
  | { readonly id: number; readonly failure: Failure };

/** A SekaliError by its parts: a class does not cross between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
}
