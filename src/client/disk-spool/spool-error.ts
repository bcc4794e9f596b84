import { ClientError, messageOf } from '../client-error.ts';

/** Of the disk: it may be sound again later. */
export function spoolFailed(what: string, cause: unknown): ClientError {
  return new ClientError('spool_failed', `${what}: ${messageOf(cause)}`, { retryable: true, cause });
}

/** @param offset the byte of the file where something is wrong */
export function spoolDamaged(file: string, offset: number, what: string): ClientError {
  return new ClientError('spool_damaged', `${file} ${what} at byte ${offset}: events are lost`, {
    details: [{ file, offset }],
  });
}

export function spoolFull(dir: string, maxBytes: number, what: string, retryable = true): ClientError {
  return new ClientError('spool_full', `${dir} may have ${maxBytes} bytes: ${what}`, { retryable });
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
