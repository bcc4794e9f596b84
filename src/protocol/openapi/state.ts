import { MEDIA_JSON } from '../wire.ts';
import type { Answer, Operation, PathItem, Schema } from './document.ts';
import { health, queueStats, readiness, stats } from './examples.ts';
import { openProblems, problems } from './problem.ts';
import { answer, count, type NamedSchemas, ref } from './schema.ts';

const seconds: Schema = { type: 'number', minimum: 0, description: 'Since this process started.' };

export const stateSchemas: NamedSchemas<'StatsAnswer' | 'QueueAnswer' | 'HealthAnswer'> = {
  StatsAnswer: answer(
    'Counted since the store was made; no counter ever goes back. At every read, `received` = `unique_processed` + `duplicate_dropped` + `queued` + `dead_lettered`.',
    {
      received: count('Valid events, each time they came.'),
      unique_processed: count('Events stored.'),
      duplicate_dropped: count('Events whose key was stored before, conflicts included.'),
      conflicts: count('Those of them with other content.'),
      rejected: count('Events that were refused; no part of `received`.'),
      queued: count('Accepted, and not stored yet.'),
      dead_lettered: count('Accepted, and given up.'),
      dedup_rate_percent: {
        type: 'number',
        minimum: 0,
        maximum: 100,
        description:
          '100 × `duplicate_dropped` / (`unique_processed` + `duplicate_dropped`), with two decimals; 0 before the first event.',
      },
      topics: {
        type: 'array',
        maxItems: 1000,
        items: ref('Name'),
        description: 'The first 1000 topics by name; `/topics` has all.',
      },
      uptime_seconds: seconds,
    },
  ),
  QueueAnswer: answer(
    'What has been received and is not answered yet, and the index of keys that it is held against.',
    {
      queue_size: count('Requests that wait for their commit; with a queue server, the entries in it.'),
      queue_type: { type: 'string', description: '`memory`, or the queue server: `redis`.' },
      worker_count: count('Threads that commit; with a queue server, the workers of this process.'),
      workers_enabled: { type: 'boolean', description: 'Whether this process runs any.' },
      queue_size_max: count('Publish requests that may be under way at one time in this process.'),
      queue_bytes: count('Bytes of the request bodies that are under way; with a queue server, those in it.'),
      queue_bytes_max: count('Bytes that may be there at one time.'),
      key_count: count('Keys that are remembered, as of the last commit.'),
      key_index_bytes: count('Bytes of memory that their index takes.'),
      sealed_key_count: count('Of the keys, those that are in files.'),
      sealed_key_bytes: count('Of the memory, what is for those.'),
    },
  ),
  HealthAnswer: answer(
    'Whether events can be stored.',
    {
      status: { type: 'string', enum: ['healthy', 'unhealthy'] },
      database: { type: 'boolean', description: 'The store can be written and read.' },
      queue: {
        type: 'boolean',
        description: 'There is room in the queue, and its server, if there is one, takes events.',
      },
      uptime_seconds: seconds,
      failing: {
        type: 'array',
        minItems: 1,
        description: 'What fails and why. When unhealthy only.',
        items: answer('A part that fails.', {
          part: { type: 'string', enum: ['server', 'database', 'queue'] },
          reason: { type: 'string' },
        }),
      },
    },
    { optional: ['failing'] },
  ),
};

function plain(description: string, example: string): Answer {
  return {
    description,
    content: { 'text/plain': { schema: { type: 'string' }, examples: { text: { value: example } } } },
  };
}

const retryAfter: NonNullable<Answer['headers']> = {
  'Retry-After': { description: 'Seconds after which to ask again.', schema: { type: 'integer' } },
};

function probe(operation: Omit<Operation, 'tags' | 'security'>): PathItem {
  return { get: { ...operation, tags: ['Health'], security: [] } };
}

export const statePaths: Readonly<Record<string, PathItem>> = {
  '/stats': {
    get: {
      operationId: 'readStats',
      tags: ['State'],
      summary: 'Read the counters',
      description:
        'Exact at every read, over restarts and crashes: they are stored with the events they count.',
      responses: {
        200: {
          description: 'The counters.',
          content: { [MEDIA_JSON]: { schema: ref('StatsAnswer'), examples: { stats: { value: stats } } } },
        },
        ...problems('overloaded', 'store_unavailable', 'queue_unavailable'),
      },
    },
  },
  '/queue/stats': {
    get: {
      operationId: 'readQueue',
      tags: ['State'],
      summary: 'Read the state of the commit queue',
      description: 'Of this process, now; with a queue server, of that.',
      responses: {
        200: {
          description: 'The state.',
          content: {
            [MEDIA_JSON]: { schema: ref('QueueAnswer'), examples: { queue: { value: queueStats } } },
          },
        },
        ...problems('queue_unavailable'),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'readMetrics',
      tags: ['State'],
      summary: 'Read the counters for Prometheus',
      description:
        'The counters of `/stats` and the state of the parts, and figures of this process. What cannot be read now is left out.',
      responses: {
        200: {
          description: 'The text format of Prometheus, 0.0.4.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...problems(),
      },
    },
  },
  '/health': probe({
    operationId: 'readHealth',
    summary: 'Read the health',
    description: 'Needs no key.',
    responses: {
      ...openProblems(),
      200: {
        description: 'Events can be stored.',
        content: { [MEDIA_JSON]: { schema: ref('HealthAnswer'), examples: { healthy: { value: health } } } },
      },
      503: {
        description: 'Events cannot be stored.',
        headers: retryAfter,
        content: { [MEDIA_JSON]: { schema: ref('HealthAnswer') } },
      },
    },
  }),
  '/livez': probe({
    operationId: 'readLiveness',
    summary: 'Ask whether the process runs',
    description: 'Never touches the store. Needs no key.',
    responses: { ...openProblems(), 200: plain('It runs.', 'ok\n') },
  }),
  '/readyz': probe({
    operationId: 'readReadiness',
    summary: 'Ask whether events can be stored',
    description: 'Also false while the server shuts down. Needs no key.',
    parameters: [
      {
        name: 'verbose',
        in: 'query',
        description: 'A line for each part; with `[i]`, what else an operator should know.',
        schema: { type: 'boolean', default: false },
        example: true,
      },
      {
        name: 'exclude',
        in: 'query',
        description:
          'Parts that it does not depend on: `database`, `queue`, or both with a comma between them.',
        schema: { type: 'string', enum: ['database', 'queue', 'database,queue'] },
        example: 'database,queue',
      },
    ],
    responses: {
      ...openProblems(),
      200: plain('They can.', readiness),
      503: {
        ...plain('They cannot.', '[-] server: shutting down\n[+] database: ok\n[+] queue: ok\nnot ready\n'),
        headers: retryAfter,
      },
    },
  }),
};
