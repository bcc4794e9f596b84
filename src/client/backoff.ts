export interface BackoffOptions {
  /** Longest wait before the first retry. */
  readonly firstMs: number;
  /** Longest wait before any retry. */
  readonly maxMs: number;
}

/**
 * How long to wait before a retry: exponential with full jitter (Brooker, "Exponential Backoff and Jitter", AWS 2015), so
 * that publishers that failed together do not come back together. A server that says when to come back is believed.
 *
 * @param attempt of the try that has failed, from 1
 * @param retryAfter the Retry-After header (RFC 9110 section 10.2.3): seconds, or a date
 */
export function backoffMs(
  attempt: number,
  { firstMs, maxMs }: BackoffOptions,
  retryAfter: string | null = null,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  const jitter = random() * ceiling;
  const asked = retryAfterMs(retryAfter);
  // Not earlier than asked, and not all at the same moment after it; never for longer than a minute on a server's word.
  return asked === undefined ? jitter : Math.min(asked, 60_000) + jitter;
}

function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Resolves after a time. Rejects with the signal's reason when that is aborted first. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
