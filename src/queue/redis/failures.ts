import { SekaliError } from '../../errors.ts';

/** What went wrong between here and the server, as the port tells it. */
export function toQueueError(cause: unknown, address: string): SekaliError {
  if (cause instanceof SekaliError) return cause;
  const message = messageOf(cause);
  // Redis 6.2 puts other words before an error of a script.
  if (message.includes('OOM command not allowed')) {
    return new SekaliError('overloaded', `Redis at ${address} has reached its maxmemory.`, { cause });
  }
  return new SekaliError('queue_unavailable', `Redis at ${address}: ${message}`, { cause });
}

/** Whether the server has answered with this error code, which is the first word of its message. */
export function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(`${code} `);
}

/** A refused connection to a name with more than one address has no message, but a code. */
function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.message !== '') return cause.message;
  return 'code' in cause ? String(cause.code) : cause.name;
}
