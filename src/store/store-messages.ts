import type { ErrorCode } from '../errors.ts';
import { SekaliError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import type { PackMessage } from './event-pack.ts';
import type { Batch, KeyStats, Receipts, StoreSecrets } from './store.ts';

/** What passes between a store in a thread of its own (serve-store.ts) and the thread that uses it (threaded-store.ts). */
export type ToStore =
  | { kind: 'append'; events: PackMessage; batches: readonly Batch[] }
  | { kind: 'find'; id: number; topic: string; eventId: string }
  | { kind: 'close' };

export type FromStore =
  | { kind: 'ready'; secrets: StoreSecrets; stats: KeyStats }
  /** It could not be opened; the thread ends. */
  | { kind: 'refused'; failure: Failure }
  | { kind: 'progress'; message: string }
  /** The pack comes back, so that its memory is used again. */
  | { kind: 'appended'; events: PackMessage; receipts: Receipts; stats: KeyStats }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'found'; id: number; position?: number | undefined; failure?: Failure }
  | { kind: 'closed' };

/** A SekaliError by its parts: a class does not cross between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** @param otherwise the code of an error that is none of ours */
export function toFailure(error: unknown, otherwise: ErrorCode = 'store_unavailable'): Failure {
  if (error instanceof SekaliError)
    return { code: error.code, detail: error.message, members: error.members };
  return { code: otherwise, detail: messageOf(error), members: {} };
}

export function fromFailure({ code, detail, members }: Failure): SekaliError {
  return new SekaliError(code, detail, members);
}
