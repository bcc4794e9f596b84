import {
  MEDIA_JSON,
  MEDIA_NDJSON,
  MEDIA_STREAM,
  OFFSET_MAX,
  PAGE_LIMIT_DEFAULT,
  PAGE_LIMIT_MAX,
  WAIT_S_MAX,
} from '../wire.ts';
import type { Parameter, PathItem, Schema } from './document.ts';
import { storedMembers } from './event.ts';
import { eventsLines, eventsPage, eventsStream, oneEvent } from './examples.ts';
import { problems } from './problem.ts';
import { answer, count, type NamedSchemas, orNull, ref } from './schema.ts';

export const eventsSchemas: NamedSchemas<'EventsAnswer' | 'EventAnswer'> = {
  EventsAnswer: answer('A page of events.', {
    count: count('Events in this page.'),
    events: { type: 'array', items: ref('StoredEvent') },
    next: orNull(
      'integer',
      'Where the next page goes on: its `after`, or with `order=desc` its `before`. Null at the end.',
    ),
  }),
  EventAnswer: answer(
    'An event with its receipt.',
    {
      ...storedMembers,
      receipt: answer('What its publisher was told.', {
        verdict: { type: 'string', const: 'stored' },
        position: ref('Position'),
        first_seen_at: ref('Instant'),
      }),
      conflicts: {
        type: 'array',
        maxItems: 100,
        items: ref('Conflict'),
        description: 'Later events of this key with other content: the newest that are kept, newest first.',
      },
    },
    { optional: ['sequence'] },
  ),
};

const position: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const dateTime: Schema = { type: 'string', format: 'date-time' };

const eventParameters: readonly Parameter[] = [
  {
    name: 'topic',
    in: 'query',
    description: 'Events of this topic alone.',
    schema: ref('Name'),
    example: 'orders',
  },
  { name: 'source', in: 'query', description: 'Events of this source alone.', schema: ref('Name') },
  {
    name: 'from',
    in: 'query',
    description: 'Events with this timestamp or a later one.',
    schema: dateTime,
  },
  { name: 'to', in: 'query', description: 'Events with an earlier timestamp than this.', schema: dateTime },
  { name: 'after', in: 'query', description: 'Events at positions above this one.', schema: position },
  { name: 'before', in: 'query', description: 'Events at positions below this one.', schema: position },
  {
    name: 'order',
    in: 'query',
    description: 'By position: oldest or newest first.',
    schema: { type: 'string', enum: ['asc', 'desc'], default: 'asc' },
  },
  {
    name: 'offset',
    in: 'query',
    description: 'Matching events to pass over first. To read on, `after` and `before` are faster.',
    schema: { type: 'integer', minimum: 0, maximum: OFFSET_MAX, default: 0 },
  },
  {
    name: 'wait',
    in: 'query',
    description:
      'Seconds to wait for an event, where the page would be empty and has no `next`. Not with `order=desc`, and not for lines.',
    schema: { type: 'integer', minimum: 0, maximum: WAIT_S_MAX, default: 0 },
  },
  {
    name: 'limit',
    in: 'query',
    description: `Events in the answer: in JSON at most ${PAGE_LIMIT_MAX}, and ${PAGE_LIMIT_DEFAULT} when it is absent; as lines any number, and all when it is absent.`,
    schema: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    example: 2,
  },
];

export const eventsPaths: Readonly<Record<string, PathItem>> = {
  '/events': {
    get: {
      operationId: 'readEvents',
      tags: ['Read'],
      summary: 'Read events',
      description: `Events by position, which is the order of their commits. Who reads on from \`next\` misses none and sees none twice, whatever is stored meanwhile. A page of large payloads, or one that has looked at many events that do not match, may have fewer events than \`limit\`, or none: it is \`next\` that tells whether there are more.

With \`Accept: ${MEDIA_NDJSON}\` the answer is one event per line, without a limit: all that match and were stored when the request came.`,
      parameters: eventParameters,
      responses: {
        200: {
          description: 'The events.',
          content: {
            [MEDIA_JSON]: { schema: ref('EventsAnswer'), examples: { page: { value: eventsPage } } },
            [MEDIA_NDJSON]: {
              schema: { type: 'string', description: 'A `StoredEvent` on each line.' },
              examples: { lines: { value: eventsLines } },
            },
          },
        },
        ...problems('overloaded', 'store_unavailable'),
      },
    },
  },
  '/stream': {
    get: {
      operationId: 'streamEvents',
      tags: ['Read'],
      summary: 'Follow events',
      description: `Server-Sent Events: what is stored already, then live, without a seam, each event once and in the order of positions. \`id\` is the position, \`data\` the event on one line.

A client that comes back sends the last \`id\` as \`Last-Event-ID\`. One that is too slow is told with \`event: lagged\` where to go on, and cut off.`,
      parameters: [
        {
          name: 'topic',
          in: 'query',
          description:
            'A pattern of topics: `*` stands for one word between dots, `>` at the end for one or more. All topics when it is absent.',
          schema: { ...ref('Name'), default: '>' },
          example: 'orders',
        },
        { name: 'source', in: 'query', description: 'Events of this source alone.', schema: ref('Name') },
        {
          name: 'after',
          in: 'query',
          description: 'Events at positions above this one. When it is absent, what comes from now on.',
          schema: position,
          example: 0,
        },
        {
          name: 'Last-Event-ID',
          in: 'header',
          description: 'The last `id` that a client has seen; it counts more than `after`.',
          schema: position,
        },
      ],
      responses: {
        200: {
          description: 'The events, without an end.',
          content: {
            [MEDIA_STREAM]: { schema: { type: 'string' }, examples: { events: { value: eventsStream } } },
          },
        },
        ...problems('overloaded', 'store_unavailable'),
      },
    },
  },
  '/events/{topic}/{event_id}': {
    get: {
      operationId: 'readEvent',
      tags: ['Read'],
      summary: 'Read one event',
      description: `The event with this topic and event_id, its receipt, and what later came under its name. Where it was stored again after its dedup window, it is the newest one.

\`event_retired\` (410) says that it was stored, at the \`position\` in the problem, and that retention has removed it: its key is still known. A key that its dedup window has let go of is unknown.`,
      parameters: [
        {
          name: 'topic',
          in: 'path',
          required: true,
          description: 'Percent-encoded, a `/` too.',
          schema: ref('Name'),
          example: 'orders',
        },
        {
          name: 'event_id',
          in: 'path',
          required: true,
          description: 'Percent-encoded, a `/` too.',
          schema: ref('Name'),
          example: 'order-1',
        },
      ],
      responses: {
        200: {
          description: 'The event.',
          content: { [MEDIA_JSON]: { schema: ref('EventAnswer'), examples: { event: { value: oneEvent } } } },
        },
        ...problems('event_unknown', 'event_retired', 'overloaded', 'store_unavailable'),
      },
    },
  },
};
