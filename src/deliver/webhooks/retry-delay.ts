/** A receiver may not put an event off for longer. */
const RETRY_AFTER_MAX_MS = 86_400_000;

/** Nor have it sent again at once, as often as it is allowed to be tried. */
const RETRY_AFTER_MIN_MS = 1000;

/** Of a delay, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * Before an event is sent again: as the schedule says, up to a fifth less or more; or as the receiver has asked, up to a fifth more.
 *
 * @param attempt that has failed, from 1
 * @param scheduleMs the last one holds for all after it
 */
export function retryDelayMs(
  attempt: number,
  scheduleMs: readonly number[],
  retryAfterMs: number | undefined,
  random: () => number,
): number {
  if (retryAfterMs !== undefined) {
    const askedMs = Math.max(RETRY_AFTER_MIN_MS, retryAfterMs) * (1 + JITTER * random());
    return Math.round(Math.min(RETRY_AFTER_MAX_MS, askedMs));
  }
  const delayMs = scheduleMs[Math.min(attempt, scheduleMs.length) - 1] ?? 0;
  return Math.round(delayMs * (1 - JITTER + 2 * JITTER * random()));
}

/** Of the header Retry-After (RFC 9110 section 10.2.3): seconds, or a date. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_MAX_MS);
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - nowMs), RETRY_AFTER_MAX_MS);
}
