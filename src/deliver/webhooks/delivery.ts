import { setTimeout as pause } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { messageOf } from '../../message-of.ts';
import { printEvent } from '../../store/print-event.ts';
import type { StoredEvent } from '../../store/store-reader.ts';
import type { WebhookDefinition } from '../../store/subscription-store.ts';
import type { Deliveries } from '../deliveries.ts';
import type { Acks } from './acks.ts';
import { messageId, signatures } from './message.ts';
import type { PostOutcome, PostRequest } from './post-event.ts';
import { retryDelayMs } from './retry-delay.ts';
import { secretsAt } from './secrets.ts';

/** Of a lease, how much a request may take: what is left is for saying what became of the event. */
const LEASE_SHARE = 0.75;

/** Between tries to say what became of an event. */
const SETTLE_AGAIN_MS = 1000;

export interface DeliveryParts {
  readonly deliveries: Pick<Deliveries, 'nack'>;
  readonly post: (request: PostRequest) => Promise<PostOutcome>;
  /** The receiver of the definition with this version wants no more. */
  readonly onGone: (name: string, version: string, reason: string) => Promise<void>;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
  readonly random: () => number;
}

/** One event on its way to its receiver. */
export interface Delivery {
  readonly subscription: string;
  readonly webhook: WebhookDefinition;
  /** Of the definition that the webhook is of. */
  readonly version: string;
  readonly event: StoredEvent;
  readonly attempt: number;
  readonly lease: string;
  readonly leaseMs: number;
  /** When aborted, the request is, and nothing is tried again. */
  readonly cut: AbortSignal;
  /** Those of the subscription. */
  readonly acks: Acks;
}

/** @returns never rejects */
export async function sendEvent(parts: DeliveryParts, delivery: Delivery): Promise<PostOutcome> {
  const { subscription, webhook, event, leaseMs, cut } = delivery;
  const body = printEvent(event);
  const id = messageId(subscription, event);
  const nowMs = Date.now();
  const seconds = Math.floor(nowMs / 1000);
  const headers = {
    'content-type': 'application/json',
    'user-agent': parts.userAgent,
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures(secretsAt(webhook.secrets, nowMs), id, seconds, body),
  };
  const timeoutMs = Math.round(Math.min(parts.timeoutMs, leaseMs * LEASE_SHARE));
  return await parts.post({ url: webhook.url, headers, body, timeoutMs, signal: cut });
}

/** Says what became of an event. Never rejects: what could not be settled is handed out again when its lease is over. */
export async function settleEvent(
  parts: DeliveryParts,
  delivery: Delivery,
  outcome: PostOutcome,
): Promise<void> {
  const { subscription, version, event, lease, acks } = delivery;
  const { deliveries, onGone } = parts;
  const ref = { position: event.position, lease };
  if (outcome.kind === 'delivered') {
    await insist(parts, delivery, () => acks.add(ref));
    return;
  }
  // First, so that nobody sends it at once to who is gone.
  if (outcome.kind === 'gone') {
    await insist(parts, delivery, () => onGone(subscription, version, outcome.reason));
  }
  const options = givenBack(parts, delivery, outcome);
  await insist(parts, delivery, () => deliveries.nack(subscription, [ref], options));
}

function givenBack(
  { random }: DeliveryParts,
  { attempt, webhook }: Delivery,
  outcome: Exclude<PostOutcome, { kind: 'delivered' }>,
): { delayMs: number; reason: string } {
  if (outcome.kind === 'aborted')
    return { delayMs: 0, reason: 'the server was stopped before an answer came' };
  const { reason } = outcome;
  if (outcome.kind === 'gone') return { delayMs: 0, reason };
  return { delayMs: retryDelayMs(attempt, webhook.retryMs, outcome.retryAfterMs, random), reason };
}

/** Tries until it goes, or the lease is over. */
async function insist(
  { log }: DeliveryParts,
  { subscription, event, leaseMs, cut }: Delivery,
  work: () => Promise<unknown>,
): Promise<void> {
  const untilMs = performance.now() + leaseMs * (1 - LEASE_SHARE);
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      const mayGo = !(error instanceof SekaliError) || error.retryable;
      if (!mayGo || cut.aborted || performance.now() > untilMs) {
        const reason = messageOf(error);
        log.debug(
          { subscription, position: event.position, reason },
          'an event that was sent is not settled',
        );
        return;
      }
      await pause(SETTLE_AGAIN_MS);
    }
  }
}
