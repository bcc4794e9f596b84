import { randomBytes } from 'node:crypto';
import { SekaliError } from '../../errors.ts';
import { formatInstant, instantOfMs } from '../../instant.ts';
import type { WebhookDefinition } from '../../store/subscription-store.ts';

type Secrets = WebhookDefinition['secrets'];

/** Secrets that are signed with at one time: each is a signature of 47 characters in a header. */
const SECRETS_MAX = 5;

/** Standard Webhooks, "Signature scheme": 24 to 64 random bytes, in base64 with a prefix. */
export function makeSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

/**
 * The new one first; those before it are signed with too, for at most so long. Of those that hold none is dropped to make room: which of
 * them the receiver knows, nobody can tell. Without an overlap there is always room.
 *
 * @throws SekaliError `secrets_full`
 */
export function rotate(secrets: Secrets, secret: string, overlapMs: number, nowMs: number): Secrets {
  const endMs = nowMs + overlapMs;
  const old = secrets
    .map((one) => ({ secret: one.secret, untilMs: Math.min(one.untilMs ?? endMs, endMs) }))
    .filter(({ untilMs }) => untilMs > nowMs);
  if (old.length >= SECRETS_MAX) throw full(secrets, nowMs);
  return [{ secret, untilMs: null }, ...old];
}

/** Those that hold now. */
export function secretsAt(secrets: Secrets, nowMs: number): string[] {
  return secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs).map(({ secret }) => secret);
}

function full(secrets: Secrets, nowMs: number): SekaliError {
  const ends = secrets.flatMap(({ untilMs }) => (untilMs !== null && untilMs > nowMs ? [untilMs] : []));
  const first = formatInstant(instantOfMs(Math.min(...ends)));
  return new SekaliError(
    'secrets_full',
    `requests are signed with ${SECRETS_MAX} secrets already, as many as may hold at one time, the first of them until ${first}: rotate after that, or with "overlap_ms": 0, which ends all others at once`,
  );
}
