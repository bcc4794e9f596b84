import { SUBSCRIPTION_BOUNDS } from '../subscriptions-wire.ts';
import type { Schema } from './document.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';

const { ackWaitMs, maxAttempts, maxInFlight, backoffMs, patternsMax } = SUBSCRIPTION_BOUNDS;

/** Position 0 is before all events. */
export const cursor: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const backoffPart: Schema = { type: 'integer', minimum: backoffMs.min, maximum: backoffMs.max };

const definition: Readonly<Record<string, Schema>> = {
  topics: {
    type: 'array',
    minItems: 1,
    maxItems: patternsMax,
    items: ref('Name'),
    description:
      'Patterns of topics: `*` stands for one word between dots, `>` at the end for one or more, any other word for itself.',
  },
  ack_wait_ms: bounded(
    ackWaitMs,
    'How long a consumer has an event, before it is handed out again unless it is acknowledged.',
  ),
  max_attempts: bounded(
    maxAttempts,
    'How often an event is handed out before it is set aside as a dead letter; 0: without an end.',
  ),
  max_in_flight: bounded(
    maxInFlight,
    'Events handed out and not acknowledged, at most. Beyond it no new one is handed out.',
  ),
  backoff: {
    type: 'object',
    description:
      'Before an event that was given back is handed out again: `first_ms`, doubled with each attempt up to `max_ms`.',
    additionalProperties: false,
    properties: {
      first_ms: { ...backoffPart, default: backoffMs.firstFallback },
      max_ms: {
        ...backoffPart,
        description: `${backoffMs.maxFallback}, or \`first_ms\` if that is more, when it is absent.`,
      },
    },
  },
  ordered: {
    type: 'boolean',
    default: false,
    description: 'Of a topic, no event is handed out while an earlier one is not acknowledged.',
  },
};

function bounded(
  { min, max, fallback }: { min: number; max: number; fallback: number },
  description: string,
): Schema {
  return { type: 'integer', minimum: min, maximum: max, default: fallback, description };
}

const members: Readonly<Record<string, Schema>> = {
  name: ref('Name'),
  ...definition,
  created_at: ref('Instant', 'When it was made.'),
  version: {
    type: 'string',
    description: 'Of the definition, as it was put: no other put ever has it. Its ETag, without the quotes.',
  },
  cursor: { ...cursor, description: 'Everything at or below it was handed out, or does not match.' },
  leased: count('Events that consumers have at present.'),
  waiting: count('Events that wait to be handed out again.'),
  dead: count('Events that are dead letters.'),
  webhook: ref('Webhook', 'Of one whose events are sent to a URL.'),
};

const OPTIONAL = { optional: ['webhook'] };

export const subscriptionSchemas: NamedSchemas<
  | 'Start'
  | 'SubscriptionRequest'
  | 'Subscription'
  | 'SubscriptionAnswer'
  | 'SubscriptionsAnswer'
  | 'SeekAnswer'
> = {
  Start: {
    description:
      'A place in the log: before the first event, behind the last one, above a position, or before what was stored from a time on.',
    oneOf: [
      { type: 'string', enum: ['earliest', 'latest'] },
      { type: 'object', additionalProperties: false, required: ['after'], properties: { after: cursor } },
      {
        type: 'object',
        additionalProperties: false,
        required: ['since'],
        properties: { since: { type: 'string', format: 'date-time' } },
      },
    ],
  },
  SubscriptionRequest: {
    type: 'object',
    description: 'A subscription as it is to be. What is left out has its default, not what it had before.',
    additionalProperties: false,
    required: ['topics'],
    properties: {
      ...definition,
      start: ref(
        'Start',
        'Of a new subscription: `earliest` when absent. One that is there keeps its place.',
      ),
      webhook: {
        oneOf: [ref('WebhookRequest'), { type: 'null' }],
        description:
          'Null ends the webhook that is there. To leave it out, where there is one, or to give one where there is none, is refused.',
      },
    },
  },
  Subscription: answer('A subscription.', members, OPTIONAL),
  SubscriptionAnswer: answer(
    'A subscription, and how far behind it is.',
    {
      ...members,
      lag: answer('What is still to be done.', {
        events: count('Events that match and were not handed out yet.'),
        age_seconds: orNull(
          'number',
          'Since the oldest event was stored that is not acknowledged. Null when all are.',
        ),
      }),
    },
    OPTIONAL,
  ),
  SubscriptionsAnswer: answer('A page of subscriptions, ordered by name.', {
    count: count('Subscriptions in this page.'),
    subscriptions: { type: 'array', items: ref('Subscription') },
    next: orNull('string', 'The `after` of the next page. Null at the end.'),
  }),
  SeekAnswer: answer('Where a subscription stands.', {
    cursor,
    events: count('Events above it that match.'),
    dry_run: { type: 'boolean', description: 'Nothing was changed.' },
  }),
};
