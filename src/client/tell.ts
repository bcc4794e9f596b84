import { messageOf } from './client-error.ts';
import type { ClientLog } from './options.ts';

/** Calls back. What a callback throws must not end the work that it is told of. */
export function tell(log: ClientLog, call: () => void): void {
  try {
    call();
  } catch (error) {
    log.warn(`sekali: a callback threw: ${messageOf(error)}`);
  }
}
