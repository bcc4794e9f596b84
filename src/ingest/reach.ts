import { setTimeout as sleep } from 'node:timers/promises';
import { SekaliError } from '../errors.ts';

/** The first wait before something is opened again; each further one is twice as long, up to the last. */
export const RETRY_FIRST_MS = 100;
export const RETRY_MAX_MS = 5000;

/**
 * Opens what lives on a server, and goes on trying while the server is away: the servers of one system start in any order.
 * What a longer wait does not mend (a wrong password, a newer schema) is thrown at once.
 *
 * @param onWait told why, each reason once
 * @throws the reason of the signal, once it is aborted
 */
export async function reach<T>(
  open: () => Promise<T>,
  { signal, onWait }: { signal: AbortSignal; onWait: (reason: string) => void },
): Promise<T> {
  const told = new Set<string>();
  for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
    signal.throwIfAborted();
    try {
      return await open();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (!told.has(error.message)) onWait(error.message);
      told.add(error.message);
    }
    await sleep(waitMs, undefined, { signal });
  }
}

function isAway(error: unknown): error is SekaliError {
  return (
    error instanceof SekaliError && (error.code === 'store_unavailable' || error.code === 'queue_unavailable')
  );
}
