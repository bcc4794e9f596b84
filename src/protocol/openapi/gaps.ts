import { MEDIA_JSON, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../wire.ts';
import type { PathItem } from './document.ts';
import { gapsPage } from './examples.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';

const sequence = (description: string) => ({ ...count(description), maximum: Number.MAX_SAFE_INTEGER });

const gap = answer('Numbers that follow one another and that no stored event of the publisher has had.', {
  from: sequence('The lowest of them.'),
  to: sequence('The highest of them.'),
  position: ref('Position', 'Of the event that showed the gap.'),
  processed_at: ref('Instant', 'When that was stored.'),
});

const restart = answer('Where a publisher began to count anew.', {
  sequence: sequence('The number that it began with.'),
  after: sequence('The highest number before.'),
  position: ref('Position', 'Of the event with that number.'),
  processed_at: ref('Instant', 'When that was stored.'),
});

export const gapsSchemas: NamedSchemas<'PublisherGaps' | 'GapsAnswer'> = {
  PublisherGaps: answer('What the sequences of a publisher, a source of a topic, tell.', {
    topic: ref('Name'),
    source: ref('Name'),
    events: count('Stored events with a sequence.'),
    first_position: ref('Position', 'Of the first of them.'),
    last_position: ref('Position', 'Of the last of them.'),
    first_sequence: sequence('The lowest number since the last restart.'),
    highest_sequence: sequence('The highest number since the last restart.'),
    missing: count('Numbers in gaps.'),
    gap_count: count('Gaps, those before a restart included.'),
    gaps: {
      type: 'array',
      items: gap,
      maxItems: 1000,
      description: 'The newest of them: those before a restart first, then by number.',
    },
    forgotten: count('Numbers of gaps that are not kept any more.'),
    out_of_order: count('Events that came after one with a higher number.'),
    repeated: count(
      'Events whose number had been before, or came far too late, before the publisher went on.',
    ),
    restart_count: count('How often the publisher has begun to count anew.'),
    restarts: { type: 'array', items: restart, maxItems: 100, description: 'The newest of them.' },
  }),
  GapsAnswer: answer('A page of publishers, in the order of their first events.', {
    count: count('Publishers in this page.'),
    publishers: { type: 'array', items: ref('PublisherGaps') },
    through: count('The position up to which events have been looked at.'),
    complete: {
      type: 'boolean',
      description:
        'Whether that is all that was stored when the request came. If not, the same request goes on.',
    },
    next: orNull('integer', 'The `after` of the next page. Null at the end.'),
  }),
};

export const gapsPaths: Readonly<Record<string, PathItem>> = {
  '/gaps': {
    get: {
      operationId: 'readGaps',
      tags: ['Read'],
      summary: 'Find gaps',
      description:
        'What publishers that send a `sequence` have not sent, or sent out of order, and where they began to count anew. It refuses nothing: events are stored whatever their sequence is.',
      parameters: [
        {
          name: 'topic',
          in: 'query',
          description: 'Publishers of this topic alone.',
          schema: ref('Name'),
          example: 'orders',
        },
        { name: 'source', in: 'query', description: 'Publishers of this source alone.', schema: ref('Name') },
        {
          name: 'after',
          in: 'query',
          description: 'Publishers whose first event is above this position.',
          schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
        },
        {
          name: 'limit',
          in: 'query',
          description: 'Publishers in the answer.',
          schema: { type: 'integer', minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_DEFAULT },
        },
      ],
      responses: {
        200: {
          description: 'The publishers.',
          content: { [MEDIA_JSON]: { schema: ref('GapsAnswer'), examples: { page: { value: gapsPage } } } },
        },
        ...problems('publishers_too_many', 'overloaded', 'store_unavailable'),
      },
    },
  },
};
