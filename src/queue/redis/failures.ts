import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';

/** What went wrong between here and the server, as the port tells it. */
export function toQueueError(cause: unknown, address: string): SekaliError {
  if (cause instanceof SekaliError) return cause;
  if (isReply(cause, 'OOM')) {
    return new SekaliError('overloaded', `Redis at ${address} has reached its maxmemory.`, { cause });
  }
  return new SekaliError('queue_unavailable', `Redis at ${address}: ${messageOf(cause)}`, { cause });
}

/** Whether the server has answered with this error code, which is the first word of its message. */
export function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(`${code} `);
}
