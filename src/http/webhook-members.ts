import type { GivenWebhook, WebhookStatus } from '../deliver/webhooks/webhooks.ts';
import { WEBHOOK_BOUNDS, type WireWebhook } from '../protocol/subscriptions-wire.ts';
import type { WebhookDefinition } from '../store/subscription-store.ts';
import {
  arrayOf,
  type Members,
  object,
  optional,
  type Rule,
  readMembers,
  required,
  text,
  whole,
} from './members.ts';

const { concurrency, retryMs, overlapMs, urlLengthMax } = WEBHOOK_BOUNDS;

const shape = object({
  url: required(text(urlLengthMax)),
  concurrency: optional(whole(concurrency.min, concurrency.max), concurrency.fallback),
  retry_ms: optional(arrayOf(whole(retryMs.min, retryMs.max), retryMs.lengthMax), retryMs.fallback),
});

/** Whether the URL may be sent to is not looked at here: the settings say. */
export const webhookRule: Rule<GivenWebhook> = (value, at) => {
  const { url, concurrency, retry_ms } = shape(value, at);
  return { url, concurrency, retryMs: retry_ms };
};

export function readRotation(members: Members): { overlapMs: number } {
  const rule = optional(whole(overlapMs.min, overlapMs.max), overlapMs.fallback);
  return { overlapMs: readMembers({ overlap_ms: rule }, members).overlap_ms };
}

export function printWebhook(
  { url, concurrency, retryMs }: WebhookDefinition,
  { state, reason, failures, nextTryInMs }: WebhookStatus,
): WireWebhook {
  return {
    url,
    concurrency,
    retry_ms: [...retryMs],
    state,
    reason: reason ?? null,
    failures,
    next_try_in_ms: nextTryInMs ?? null,
  };
}
