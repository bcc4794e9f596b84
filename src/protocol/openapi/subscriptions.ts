import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../wire.ts';
import type { Answer, Parameter, PathItem } from './document.ts';
import { problems } from './problem.ts';
import { ref } from './schema.ts';
import { BODY_CODES, command, subscriptionName } from './subscription-command.ts';
import {
  seekAnswer,
  seekRequest,
  subscription,
  subscriptionAnswer,
  subscriptionRequest,
  subscriptionsPage,
} from './subscription-examples.ts';

const ifMatch: Parameter = {
  name: 'If-Match',
  in: 'header',
  description: 'Entity tags. Only what has one of them is changed or removed; `*`: only what is there.',
  schema: { type: 'string' },
};

const ifNoneMatch: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  description: '`*`: it is made, and nothing is changed that is there.',
  schema: { type: 'string' },
};

const etag: NonNullable<Answer['headers']> = {
  ETag: { description: 'Of the definition: its version, in quotes.', schema: { type: 'string' } },
};

const PUT_CODES = [...BODY_CODES, 'webhook_conflict', 'subscription_changed'] as const;

export const subscriptionPaths: Readonly<Record<string, PathItem>> = {
  '/subscriptions/{name}': {
    put: {
      operationId: 'putSubscription',
      tags: ['Subscribe'],
      summary: 'Make or change a subscription',
      description:
        'A subscription is a named, durable place in the log. Any number of consumers take its events, each for a time, until they are acknowledged.\n\nOne that is there gets this definition, whole; its place, and what was handed out, stay as they are.\n\nWhether it has a webhook is not changed by the way: `"webhook": null` ends one, and `If-Match` with the version has one made of a subscription without.',
      parameters: [subscriptionName, ifMatch, ifNoneMatch],
      requestBody: {
        required: true,
        description: 'At most 2 MiB.',
        content: {
          [MEDIA_JSON]: {
            schema: ref('SubscriptionRequest'),
            examples: { made: { summary: 'Example', value: subscriptionRequest } },
          },
        },
      },
      responses: {
        200: {
          description: 'It was there, and is as asked for now.',
          headers: etag,
          content: { [MEDIA_JSON]: { schema: ref('Subscription') } },
        },
        201: {
          description: 'It was made.',
          headers: etag,
          content: {
            [MEDIA_JSON]: { schema: ref('Subscription'), examples: { made: { value: subscription } } },
          },
        },
        ...problems(...PUT_CODES),
      },
    },
    get: {
      operationId: 'readSubscription',
      tags: ['Subscribe'],
      summary: 'Look at a subscription',
      description: 'Its definition, its place, what is under way, and how far behind it is.',
      parameters: [subscriptionName],
      responses: {
        200: {
          description: 'The subscription.',
          headers: etag,
          content: {
            [MEDIA_JSON]: {
              schema: ref('SubscriptionAnswer'),
              examples: { subscription: { value: subscriptionAnswer } },
            },
          },
        },
        ...problems('subscription_unknown', 'overloaded', 'store_unavailable'),
      },
    },
    delete: {
      operationId: 'removeSubscription',
      tags: ['Subscribe'],
      summary: 'Remove a subscription',
      description: 'With its place, its leases and its dead letters. The events stay in the log.',
      parameters: [subscriptionName, ifMatch],
      responses: {
        204: { description: 'It is removed.' },
        ...problems(
          'origin_refused',
          'subscription_unknown',
          'subscription_changed',
          'overloaded',
          'store_unavailable',
        ),
      },
    },
  },
  '/subscriptions': {
    get: {
      operationId: 'readSubscriptions',
      tags: ['Subscribe'],
      summary: 'List subscriptions',
      description: 'All of them, by name, without their lag.',
      parameters: [
        {
          name: 'after',
          in: 'query',
          description: 'Subscriptions with a greater name.',
          schema: ref('Name'),
        },
        {
          name: 'limit',
          in: 'query',
          description: 'Subscriptions in the answer.',
          schema: { type: 'integer', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_DEFAULT },
        },
      ],
      responses: {
        200: {
          description: 'The subscriptions.',
          content: {
            [MEDIA_JSON]: {
              schema: ref('SubscriptionsAnswer'),
              examples: { page: { value: subscriptionsPage } },
            },
          },
        },
        ...problems('overloaded', 'store_unavailable'),
      },
    },
  },
  '/subscriptions/{name}/seek': command({
    operationId: 'seekSubscription',
    summary: 'Move a subscription',
    description:
      'To another place in the log, back or forth. What was handed out is given up: its leases are stale, and it is handed out again if it lies above the new place. So are the dead letters that lie above it; the others stay. With `dry_run` nothing is changed, and the answer tells what would be.',
    schema: {
      type: 'object',
      additionalProperties: false,
      required: ['to'],
      properties: { to: ref('Start'), dry_run: { type: 'boolean', default: false } },
    },
    request: seekRequest,
    answerSchema: ref('SeekAnswer'),
    shown: seekAnswer,
  }),
};
