import {
  FETCH_DEFAULT,
  FETCH_MAX,
  FETCH_WAIT_MS_MAX,
  LEASE_REFUSALS,
  POSITIONS_MAX,
  REASON_LENGTH_MAX,
  SUBSCRIPTION_BOUNDS,
} from '../subscriptions-wire.ts';
import type { PathItem, Schema } from './document.ts';
import { storedMembers } from './event.ts';
import { answer, count, type NamedSchemas, ref } from './schema.ts';
import { command } from './subscription-command.ts';
import {
  ackRequest,
  extendRequest,
  fetchAnswer,
  fetchRequest,
  nackRequest,
  settled,
} from './subscription-examples.ts';

const LEASE_PATTERN = '^[0-9a-f]{32}$';

export const positions: Schema = {
  type: 'array',
  minItems: 1,
  maxItems: POSITIONS_MAX,
  items: ref('Position'),
};

/** The two ways of naming leases, each with these members besides. */
function leases(besides: Readonly<Record<string, Schema>>): Schema {
  const lease = ref('Lease');
  const pair: Schema = {
    type: 'object',
    additionalProperties: false,
    required: ['position', 'lease'],
    properties: { position: ref('Position'), lease },
  };
  const many: Schema = { type: 'array', minItems: 1, maxItems: POSITIONS_MAX, items: pair };
  return {
    description: 'Leases: one of a hand-out for many of its events, or many.',
    oneOf: [
      {
        type: 'object',
        additionalProperties: false,
        required: ['lease', 'positions'],
        properties: { lease, positions, ...besides },
      },
      {
        type: 'object',
        additionalProperties: false,
        required: ['leases'],
        properties: { leases: many, ...besides },
      },
    ],
  };
}

export const leaseSchemas: NamedSchemas<'Lease' | 'Leases' | 'FetchAnswer' | 'SettledAnswer'> = {
  Lease: {
    type: 'string',
    pattern: LEASE_PATTERN,
    description: 'Of one hand-out; no other ever has it.',
  },
  Leases: leases({}),
  FetchAnswer: answer('Events that were handed out.', {
    count: count('Events handed out.'),
    lease: {
      type: ['string', 'null'],
      pattern: LEASE_PATTERN,
      description: 'What to name them by, all of them: a `Lease`. Null when there are none.',
    },
    lease_ms: count('How long they are for this consumer alone, in milliseconds.'),
    events: {
      type: 'array',
      maxItems: FETCH_MAX,
      items: answer(
        'An event that was handed out.',
        {
          ...storedMembers,
          attempt: {
            type: 'integer',
            minimum: 1,
            description: 'How often it has been handed out, this time included.',
          },
        },
        { optional: ['sequence'] },
      ),
    },
  }),
  SettledAnswer: answer('What became of each lease.', {
    counted: count('Leases that held, and for which it was done.'),
    refused: {
      type: 'array',
      items: answer('A lease that did not hold. Nothing was changed.', {
        position: ref('Position'),
        code: { type: 'string', enum: Object.keys(LEASE_REFUSALS) },
        detail: { type: 'string' },
      }),
    },
  }),
};

export const leasePaths: Readonly<Record<string, PathItem>> = {
  '/subscriptions/{name}/fetch': command({
    operationId: 'fetchEvents',
    summary: 'Take events',
    description:
      'Hands out what is due: what was given back or never acknowledged, then what is new, oldest first. Until `lease_ms` is over nobody else gets it.\n\nWhere there is nothing it waits, at most `wait_ms`. Those who wait are served in the order in which they came.',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        max: {
          type: 'integer',
          minimum: 1,
          maximum: FETCH_MAX,
          default: FETCH_DEFAULT,
          description: 'Events at most. There may be fewer, although there are more.',
        },
        wait_ms: { type: 'integer', minimum: 0, maximum: FETCH_WAIT_MS_MAX, default: 0 },
      },
    },
    isBodyRequired: false,
    furtherCodes: ['webhook_conflict'],
    request: fetchRequest,
    answerSchema: ref('FetchAnswer'),
    shown: fetchAnswer,
  }),
  '/subscriptions/{name}/extend': command({
    operationId: 'extendLeases',
    summary: 'Keep events for longer',
    description: 'Their leases run for `ack_wait_ms` from now.',
    schema: ref('Leases'),
    request: extendRequest,
    answerSchema: ref('SettledAnswer'),
    shown: settled(1),
  }),
  '/subscriptions/{name}/ack': command({
    operationId: 'ackEvents',
    summary: 'Acknowledge events',
    description:
      'They are done with, durably once this is answered, and never handed out again. It is 200 whether or not the leases held: `refused` names those that did not.',
    schema: ref('Leases'),
    request: ackRequest,
    answerSchema: ref('SettledAnswer'),
    shown: settled(1),
  }),
  '/subscriptions/{name}/nack': command({
    operationId: 'nackEvents',
    summary: 'Give events back',
    description:
      'They are handed out again after `delay_ms`, or after what the backoff says; as dead letters never, if this was their last attempt or `dead` says so.',
    schema: leases({
      delay_ms: {
        type: 'integer',
        minimum: SUBSCRIPTION_BOUNDS.backoffMs.min,
        maximum: SUBSCRIPTION_BOUNDS.backoffMs.max,
      },
      reason: {
        type: 'string',
        minLength: 1,
        maxLength: REASON_LENGTH_MAX,
        description: 'Shown with a dead letter.',
      },
      untried: {
        type: 'boolean',
        default: false,
        description:
          'Nobody has begun with them: the attempt does not count, and without `delay_ms` they are handed out again at once.',
      },
      dead: {
        type: 'boolean',
        default: false,
        description:
          'No attempt can help: they are dead letters at once. It needs a `reason`, and goes with neither `untried` nor `delay_ms`.',
      },
    }),
    request: nackRequest,
    answerSchema: ref('SettledAnswer'),
    shown: settled(2),
  }),
};
