import { WEBHOOK_BOUNDS } from '../subscriptions-wire.ts';
import type { PathItem, Schema } from './document.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';
import { BODY_CODES, subscriptionName } from './subscription-command.ts';

const { concurrency, retryMs, overlapMs, urlLengthMax } = WEBHOOK_BOUNDS;

const delay: Schema = { type: 'integer', minimum: retryMs.min, maximum: retryMs.max };

const definition: Readonly<Record<string, Schema>> = {
  url: {
    type: 'string',
    minLength: 1,
    maxLength: urlLengthMax,
    description:
      'https, without a user name or a password. Addresses that are not of the public internet, and http, only where the setting `webhook_allow` names them.',
  },
  concurrency: {
    type: 'integer',
    minimum: concurrency.min,
    maximum: concurrency.max,
    default: concurrency.fallback,
    description: 'Requests of one server at one time.',
  },
  retry_ms: {
    type: 'array',
    minItems: 1,
    maxItems: retryMs.lengthMax,
    items: delay,
    description: `${retryMs.fallback.join(', ')} when it is absent. Before each time that an event is sent again, up to a fifth less or more; the last one holds for all after it. An answer with \`Retry-After\` is believed instead, up to 24 hours.`,
  },
};

export const webhookSchemas: NamedSchemas<'WebhookRequest' | 'Webhook' | 'RotateSecretAnswer'> = {
  WebhookRequest: {
    type: 'object',
    description:
      'Events are sent to a URL, a POST each, signed as Standard Webhooks says. 2xx acknowledges; 410 disables the webhook until it is put again. `max_attempts` is one more than `retry_ms` has elements, unless it is given.',
    additionalProperties: false,
    required: ['url'],
    properties: definition,
  },
  Webhook: answer(
    'A webhook, and how it goes as this server sees it.',
    {
      ...definition,
      state: {
        type: 'string',
        enum: ['active', 'paused', 'disabled'],
        description:
          '`paused`: the target has failed too often, and is left alone for a while. `disabled`: until it is put again.',
      },
      reason: orNull('string', 'Of the last failure of the target. Null when all goes well.'),
      failures: count('Of the target, one after the other.'),
      next_try_in_ms: orNull('integer', 'Null unless it is paused.'),
      secret: {
        type: 'string',
        description:
          'What requests are signed with. In the answer to the PUT that makes the webhook, and never again.',
      },
    },
    { optional: ['secret'] },
  ),
  RotateSecretAnswer: answer('The new secret.', {
    secret: { type: 'string', description: 'It is not shown again.' },
    overlap_ms: count('For how long the old ones are signed with too.'),
  }),
};

export const webhookPaths: Readonly<Record<string, PathItem>> = {
  '/subscriptions/{name}/webhook/rotate-secret': {
    post: {
      operationId: 'rotateSecret',
      tags: ['Subscribe'],
      summary: 'Give a webhook another secret',
      description:
        'Requests are signed with the old secret too until the overlap is over, with a space between the signatures; at most five secrets hold at one time, and none is dropped before its time to make room. Other servers with the same database follow within some seconds.',
      parameters: [subscriptionName],
      requestBody: {
        required: false,
        description: 'At most 2 MiB.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              additionalProperties: false,
              properties: {
                overlap_ms: {
                  type: 'integer',
                  minimum: overlapMs.min,
                  maximum: overlapMs.max,
                  default: overlapMs.fallback,
                },
              },
            },
          },
        },
      },
      responses: {
        200: {
          description: 'It was done.',
          content: { 'application/json': { schema: ref('RotateSecretAnswer') } },
        },
        ...problems(...BODY_CODES, 'secrets_full'),
      },
    },
  },
};
