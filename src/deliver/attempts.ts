import { backoffMs } from '../client/backoff.ts';
import type { Outstanding, SubscriptionDefinition, Verdict } from '../store/subscription-store.ts';
import type { GivenBack } from './deliveries.ts';

/** Characters of a reason that are kept. */
export const REASON_LENGTH_MAX = 1024;

type Limits = Pick<SubscriptionDefinition, 'attemptsMax' | 'backoff'>;

/** Whether an event has been handed out as often as it may be. */
export function isSpent({ attempts }: Pick<Outstanding, 'attempts'>, { attemptsMax }: Limits): boolean {
  return attemptsMax > 0 && attempts >= attemptsMax;
}

/** Why an event that is due and spent is not handed out any more. */
export function reasonOfSpent({
  attempts,
  wasLeased,
  reason,
}: Pick<Outstanding, 'attempts'> & {
  readonly wasLeased: boolean;
  readonly reason: string | undefined;
}): string {
  if (wasLeased) return `the lease ran out: ${times(attempts)}`;
  // It waited when the limit was lowered.
  return reason ?? givenBack(attempts);
}

/** What becomes of an event that was given back. */
export function verdictOnGivenBack(
  row: Outstanding,
  limits: Limits,
  { delayMs, reason, as }: GivenBack,
  random: () => number,
): Verdict {
  const kept = reason === undefined ? undefined : storable(reason);
  if (as === 'untried') {
    return { kind: 'wait', delayMs: delayMs ?? 0, reason: kept, attempts: Math.max(0, row.attempts - 1) };
  }
  if (as === 'dead' || isSpent(row, limits)) return { kind: 'dead', reason: kept ?? givenBack(row.attempts) };
  const backoff = () => Math.round(backoffMs(row.attempts, limits.backoff, null, random));
  return { kind: 'wait', delayMs: delayMs ?? backoff(), reason: kept };
}

function givenBack(attempts: number): string {
  return `given back: ${times(attempts)}`;
}

function times(attempts: number): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
}

/** No text of PostgreSQL holds a NUL, and no UTF-8 a lone surrogate, as the cut may leave one. */
function storable(reason: string): string {
  return reason.slice(0, REASON_LENGTH_MAX).toWellFormed().replaceAll('\0', '\u{fffd}');
}
