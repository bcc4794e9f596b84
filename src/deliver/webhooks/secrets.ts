import { randomBytes } from 'node:crypto';
import type { WebhookDefinition } from '../../store/subscription-store.ts';

type Secrets = WebhookDefinition['secrets'];

/** Secrets that are signed with at one time: each is a signature of 47 characters in a header. */
const SECRETS_MAX = 5;

/** Standard Webhooks, "Signature scheme": 24 to 64 random bytes, in base64 with a prefix. */
export function makeSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

/** The new one first; those before it are signed with too, for at most so long. */
export function rotate(secrets: Secrets, secret: string, overlapMs: number, nowMs: number): Secrets {
  const endMs = nowMs + overlapMs;
  const old = secrets
    .map((one) => ({ secret: one.secret, untilMs: Math.min(one.untilMs ?? endMs, endMs) }))
    .filter(({ untilMs }) => untilMs > nowMs);
  return [{ secret, untilMs: null }, ...old].slice(0, SECRETS_MAX);
}

/** Those that hold now. */
export function secretsAt(secrets: Secrets, nowMs: number): string[] {
  return secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs).map(({ secret }) => secret);
}
