import { SekaliError } from '../../errors.ts';
import {
  SUBSCRIPTION_BOUNDS,
  type SubscriptionRequest,
  type WebhookRequest,
  type WireStart,
  type WireWebhook,
} from '../../protocol/subscriptions-wire.ts';
import {
  integer,
  type Kind,
  list,
  type Setting,
  type Settings,
  toggle,
  type Values,
} from '../../settings.ts';
import { patternRule } from '../../topic-filter.ts';
import { PLACE_FORM, place } from '../place.ts';

const { ackWaitMs, maxAttempts, maxInFlight, backoffMs } = SUBSCRIPTION_BOUNDS;

const patterns = list(
  'patterns of topics, as orders or orders.>',
  (pattern) => patternRule(pattern) === undefined,
);

const webhook: Kind<string | undefined> = {
  isSwitch: false,
  read: (given) => (given === 'none' || URL.canParse(given) ? { value: given } : { rule: 'a URL, or none' }),
};

const version: Kind<string | undefined> = {
  isSwitch: false,
  read: (given) =>
    given === 'none' || /^[0-9a-f]{32}$/.test(given)
      ? { value: given }
      : { rule: 'a version, as sekali subscriptions NAME shows it, or none' },
};

/** What a subscription is. What is not given has its default, also where the subscription is there. */
export const DEFINITION_SETTINGS = {
  topics: {
    kind: patterns,
    fallback: undefined as readonly string[] | undefined,
    form: 'PATTERNS',
    meaning: "For put: which topics, separated by commas, as 'orders,orders.>'.",
    flagOnly: true,
  },
  start: {
    kind: place,
    fallback: undefined as WireStart | undefined,
    form: PLACE_FORM,
    meaning:
      'For put: where a new one begins: with the first event, the next one, the first after a position, or the first stored at a time or later. [earliest]',
    flagOnly: true,
  },
  ackWaitMs: number(ackWaitMs, 'MS', `for how long an event is handed out. [${ackWaitMs.fallback}]`),
  maxAttempts: number(
    maxAttempts,
    'N',
    `how often an event is handed out before it is a dead letter; 0: without an end. [${maxAttempts.fallback}]`,
  ),
  maxInFlight: number(
    maxInFlight,
    'N',
    `events that are handed out and not acknowledged, at most. [${maxInFlight.fallback}]`,
  ),
  backoffFirstMs: number(
    backoffMs,
    'MS',
    `before an event that was given back is handed out again; doubled each time. [${backoffMs.firstFallback}]`,
  ),
  backoffMaxMs: number(backoffMs, 'MS', `what the backoff is doubled up to. [${backoffMs.maxFallback}]`),
  ordered: {
    kind: toggle,
    fallback: false,
    form: '',
    meaning: 'For put: of a topic, one event at a time, in order.',
    flagOnly: true,
  },
  webhook: {
    kind: webhook,
    fallback: undefined as string | undefined,
    form: 'URL|none',
    meaning: 'For put: where the server posts each event to; none takes away the one that is there.',
    flagOnly: true,
  },
  ifMatch: {
    kind: version,
    fallback: undefined as string | undefined,
    form: 'VERSION|none',
    meaning: 'For put: only if the definition that is there has this version; none: only if there is none.',
    flagOnly: true,
  },
} as const satisfies Settings;

/**
 * Without what was not given: the server knows the defaults.
 *
 * @param there the webhook that it has: how it sends stays, for no flag says it
 * @throws SekaliError `config_invalid` where a webhook would be lost that nobody has said anything of
 */
export function definitionOf(
  given: Values<typeof DEFINITION_SETTINGS> & { readonly topics: readonly string[] },
  there: WireWebhook | undefined,
): SubscriptionRequest {
  const { topics, start, ackWaitMs, maxAttempts, maxInFlight, backoffFirstMs, backoffMaxMs, ordered } = given;
  if (there !== undefined && given.webhook === undefined) {
    const message = `it has a webhook, which needs --webhook again: ${there.url}, another URL, or none`;
    throw new SekaliError('config_invalid', message);
  }
  const backoff = {
    ...(backoffFirstMs !== undefined && { first_ms: backoffFirstMs }),
    ...(backoffMaxMs !== undefined && { max_ms: backoffMaxMs }),
  };
  return {
    topics: [...topics],
    ...(start !== undefined && { start }),
    ...(ackWaitMs !== undefined && { ack_wait_ms: ackWaitMs }),
    ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
    ...(maxInFlight !== undefined && { max_in_flight: maxInFlight }),
    ...(Object.keys(backoff).length > 0 && { backoff }),
    ...(ordered && { ordered }),
    ...(given.webhook !== undefined && { webhook: webhookRequest(given.webhook, there) }),
  };
}

function webhookRequest(given: string, there: WireWebhook | undefined): WebhookRequest | null {
  return given === 'none' ? null : { ...sendingOf(there), url: given };
}

function sendingOf(there: WireWebhook | undefined): Omit<WebhookRequest, 'url'> {
  return there === undefined ? {} : { concurrency: there.concurrency, retry_ms: there.retry_ms };
}

function number(
  { min, max }: { readonly min: number; readonly max: number },
  form: string,
  meaning: string,
): Setting<number | undefined> {
  return {
    kind: integer(min, max),
    fallback: undefined,
    form,
    meaning: `For put: ${meaning}`,
    flagOnly: true,
  };
}
