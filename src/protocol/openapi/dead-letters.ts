import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../wire.ts';
import type { PathItem } from './document.ts';
import { positions } from './leases.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';
import { command, subscriptionName } from './subscription-command.ts';
import { counted, deadLettersPage } from './subscription-examples.ts';
import { cursor } from './subscription-schemas.ts';

export const deadLetterSchemas: NamedSchemas<'DeadSelection' | 'DeadLettersAnswer' | 'CountAnswer'> = {
  DeadSelection: {
    description: 'Which dead letters: those at these positions, those of a topic, or all.',
    oneOf: [
      { type: 'object', additionalProperties: false, required: ['positions'], properties: { positions } },
      {
        type: 'object',
        additionalProperties: false,
        required: ['topic'],
        properties: { topic: ref('Name') },
      },
      {
        type: 'object',
        additionalProperties: false,
        required: ['all'],
        properties: { all: { type: 'boolean', const: true } },
      },
    ],
  },
  DeadLettersAnswer: answer('A page of dead letters, by position.', {
    count: count('Dead letters in this page.'),
    dead_letters: {
      type: 'array',
      items: answer('An event that was handed out as often as it may be.', {
        position: ref('Position'),
        topic: ref('Name'),
        attempts: count('How often it was handed out.'),
        reason: { type: 'string', description: 'What the last consumer said, or what befell it.' },
        died_at: ref('Instant'),
        event: {
          description: 'Null where retention has removed it.',
          oneOf: [ref('StoredEvent'), { type: 'null' }],
        },
      }),
    },
    next: orNull('integer', 'The `after` of the next page. Null at the end.'),
  }),
  CountAnswer: answer('What was done.', { count: count('Dead letters for which it was done.') }),
};

export const deadLetterPaths: Readonly<Record<string, PathItem>> = {
  '/subscriptions/{name}/dead-letters': {
    get: {
      operationId: 'readDeadLetters',
      tags: ['Subscribe'],
      summary: 'Inspect dead letters',
      description:
        'Events that were handed out as often as they may be without being acknowledged, by position. A page of large payloads may have fewer than `limit`: it is `next` that tells whether there are more.',
      parameters: [
        subscriptionName,
        {
          name: 'after',
          in: 'query',
          description: 'Those at positions above this one.',
          schema: { ...cursor, default: 0 },
        },
        {
          name: 'limit',
          in: 'query',
          description: 'Dead letters in the answer.',
          schema: { type: 'integer', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_DEFAULT },
        },
      ],
      responses: {
        200: {
          description: 'The dead letters.',
          content: {
            [MEDIA_JSON]: {
              schema: ref('DeadLettersAnswer'),
              examples: { page: { value: deadLettersPage } },
            },
          },
        },
        ...problems('subscription_unknown', 'overloaded', 'store_unavailable'),
      },
    },
  },
  '/subscriptions/{name}/dead-letters/redrive': command({
    operationId: 'redriveDeadLetters',
    summary: 'Hand dead letters out again',
    description: 'From now on, and as if they had never been tried.',
    schema: ref('DeadSelection'),
    request: { positions: [2] },
    answerSchema: ref('CountAnswer'),
    shown: counted,
  }),
  '/subscriptions/{name}/dead-letters/discard': command({
    operationId: 'discardDeadLetters',
    summary: 'Let go of dead letters',
    description: 'They count as acknowledged. The events stay in the log.',
    schema: ref('DeadSelection'),
    request: { all: true },
    answerSchema: ref('CountAnswer'),
    shown: counted,
  }),
};
