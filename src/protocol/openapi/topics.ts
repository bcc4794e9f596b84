import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../wire.ts';
import type { PathItem } from './document.ts';
import { conflictsPage, topicsPage } from './examples.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';

export const topicsSchemas: NamedSchemas<'Topic' | 'TopicsAnswer' | 'Conflict' | 'ConflictsAnswer'> = {
  Topic: answer('A topic and what was counted of it.', {
    topic: ref('Name'),
    events: count('Events stored, those that are retired included.'),
    retired: count('Those of them that retention has removed.'),
    duplicates: count('Later events of a stored key with the same content.'),
    conflicts: count('Later events of a stored key with other content.'),
    first_position: ref('Position'),
    last_position: ref('Position'),
    first_at: ref('Instant', 'When its first event was stored.'),
    last_at: ref('Instant', 'When its last event was stored.'),
  }),
  TopicsAnswer: answer('A page of topics, ordered by name.', {
    count: count('Topics in this page.'),
    topics: { type: 'array', items: ref('Topic') },
    next: orNull('string', 'The `after` of the next page. Null at the end.'),
  }),
  Conflict: answer('An event that was not stored, for its key had been stored with other content.', {
    number: { type: 'integer', minimum: 1, description: 'Rises with each conflict: what `before` goes by.' },
    topic: ref('Name'),
    event_id: ref('Name'),
    position: ref('Position', 'Of the first event, the one that was stored.'),
    timestamp: ref('Instant'),
    source: ref('Name'),
    payload: orNull('object', 'As it was sent; null when it had more than 16384 bytes.'),
    received_at: ref('Instant'),
  }),
  ConflictsAnswer: answer('A page of conflicts, newest first.', {
    count: count('Conflicts in this page.'),
    conflicts: { type: 'array', items: ref('Conflict') },
    next: orNull('integer', 'The `before` of the next page. Null at the end.'),
  }),
};

export const topicsPaths: Readonly<Record<string, PathItem>> = {
  '/topics': {
    get: {
      operationId: 'readTopics',
      tags: ['Read'],
      summary: 'List topics',
      description: 'All topics that ever had an event, by name, with their counters.',
      parameters: [
        { name: 'after', in: 'query', description: 'Topics with a greater name.', schema: ref('Name') },
        {
          name: 'limit',
          in: 'query',
          description: 'Topics in the answer.',
          schema: { type: 'integer', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_MAX },
        },
      ],
      responses: {
        200: {
          description: 'The topics.',
          content: {
            [MEDIA_JSON]: { schema: ref('TopicsAnswer'), examples: { page: { value: topicsPage } } },
          },
        },
        ...problems('overloaded', 'store_unavailable'),
      },
    },
  },
  '/conflicts': {
    get: {
      operationId: 'readConflicts',
      tags: ['Read'],
      summary: 'Inspect conflicts',
      description:
        'Events that came under a stored topic and event_id with other content, newest first. The newest 10000 are kept; older ones are only counted.',
      parameters: [
        {
          name: 'topic',
          in: 'query',
          description: 'Conflicts of this topic alone.',
          schema: ref('Name'),
          example: 'orders',
        },
        {
          name: 'event_id',
          in: 'query',
          description: 'Conflicts of this event_id alone.',
          schema: ref('Name'),
        },
        {
          name: 'before',
          in: 'query',
          description: 'Conflicts with a number below this one.',
          schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        },
        {
          name: 'limit',
          in: 'query',
          description: 'Conflicts in the answer.',
          schema: { type: 'integer', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_DEFAULT },
        },
      ],
      responses: {
        200: {
          description: 'The conflicts.',
          content: {
            [MEDIA_JSON]: { schema: ref('ConflictsAnswer'), examples: { page: { value: conflictsPage } } },
          },
        },
        ...problems('overloaded', 'store_unavailable'),
      },
    },
  },
};
