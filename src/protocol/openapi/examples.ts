/**
 * The examples of the description are one story: sent in this order to an empty server, each request gets the answer
 * that stands beside it. A test does so; only the times differ.
 */
import type { GapsAnswer } from '../gaps-wire.ts';
import type {
  ConflictsAnswer,
  EventAnswer,
  EventsAnswer,
  HealthAnswer,
  PublishAnswer,
  QueueAnswer,
  StatsAnswer,
  TopicsAnswer,
  WireEvent,
  WireStoredEvent,
} from '../wire.ts';

const FIRST_AT = '2026-01-31T12:00:00.250000Z';
const SECOND_AT = '2026-01-31T12:00:03.100000Z';
const THIRD_AT = '2026-01-31T12:00:09.800000Z';

const order1: WireEvent = {
  topic: 'orders',
  event_id: 'order-1',
  timestamp: '2026-01-31T12:00:00Z',
  source: 'shop',
  sequence: 1,
  payload: { total: 129.95 },
};
const order2: WireEvent = {
  topic: 'orders',
  event_id: 'order-2',
  timestamp: '2026-01-31T12:00:02.5Z',
  source: 'shop',
  payload: { total: 20 },
};
const order3: WireEvent = {
  topic: 'orders',
  event_id: 'order-3',
  timestamp: '2026-01-31T13:00:09+01:00',
  source: 'shop',
  sequence: 3,
  payload: { total: 7.5 },
};

function published(change: Partial<PublishAnswer>): PublishAnswer {
  return {
    status: 'accepted',
    count: 1,
    accepted: 1,
    queued: 0,
    processed: 0,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
    errors: [],
    ...change,
  };
}

/** Requests of POST /publish by name; JSON, but for the lines. */
export const publishRequests = {
  one: order1,
  list: [order1, { ...order1, payload: { total: 99 } }, order2],
  envelope: { events: [order2] },
} satisfies Record<string, WireEvent | WireEvent[] | { events: WireEvent[] }>;

export const publishLines = `${JSON.stringify(order3)}\n{"topic":"orders","eventId":"order-4"}\n`;

export const publishAnswers = {
  one: published({ processed: 1 }),
  list: published({ count: 3, accepted: 3, processed: 1, duplicates: 1, conflicts: 1 }),
  envelope: published({ duplicates: 1 }),
  lines: published({
    status: 'partial',
    count: 2,
    processed: 1,
    rejected: 1,
    errors: [
      {
        index: 1,
        event_id: null,
        code: 'member_unknown',
        detail: '"eventId" is no member of an event; did you mean "event_id"?',
      },
    ],
  }),
} satisfies Record<string, PublishAnswer>;

export const storedOrder1: WireStoredEvent = {
  position: 1,
  ...order1,
  timestamp: '2026-01-31T12:00:00.000000Z',
  processed_at: FIRST_AT,
};

export const storedOrder2: WireStoredEvent = {
  position: 2,
  ...order2,
  timestamp: '2026-01-31T12:00:02.500000Z',
  processed_at: SECOND_AT,
};

export const storedOrder3: WireStoredEvent = {
  position: 3,
  ...order3,
  timestamp: '2026-01-31T12:00:09.000000Z',
  processed_at: THIRD_AT,
};

const conflict: ConflictsAnswer['conflicts'][number] = {
  number: 1,
  topic: 'orders',
  event_id: 'order-1',
  position: 1,
  timestamp: '2026-01-31T12:00:00.000000Z',
  source: 'shop',
  payload: { total: 99 },
  received_at: SECOND_AT,
};

/** Of `/events?topic=orders&limit=2`. */
export const eventsPage: EventsAnswer = {
  count: 2,
  events: [storedOrder1, storedOrder2],
  next: 2,
};

export const eventsLines = eventsPage.events.map((event) => `${JSON.stringify(event)}\n`).join('');

export const eventsStream = `retry: 1000\nid: 0\n\n${eventsPage.events
  .map((event) => `id: ${event.position}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('')}`;

export const oneEvent: EventAnswer = {
  ...storedOrder1,
  receipt: { verdict: 'stored', position: 1, first_seen_at: FIRST_AT },
  conflicts: [conflict],
};

export const conflictsPage: ConflictsAnswer = { count: 1, conflicts: [conflict], next: null };

export const topicsPage: TopicsAnswer = {
  count: 1,
  topics: [
    {
      topic: 'orders',
      events: 3,
      retired: 0,
      duplicates: 2,
      conflicts: 1,
      first_position: 1,
      last_position: 3,
      first_at: FIRST_AT,
      last_at: THIRD_AT,
    },
  ],
  next: null,
};

/** The second order came without its number. */
export const gapsPage: GapsAnswer = {
  count: 1,
  publishers: [
    {
      topic: 'orders',
      source: 'shop',
      events: 2,
      first_position: 1,
      last_position: 3,
      first_sequence: 1,
      highest_sequence: 3,
      missing: 1,
      gap_count: 1,
      gaps: [{ from: 2, to: 2, position: 3, processed_at: THIRD_AT }],
      forgotten: 0,
      out_of_order: 0,
      repeated: 0,
      restart_count: 0,
      restarts: [],
    },
  ],
  through: 3,
  complete: true,
  next: null,
};

export const stats: StatsAnswer = {
  received: 6,
  unique_processed: 3,
  duplicate_dropped: 3,
  conflicts: 1,
  rejected: 1,
  queued: 0,
  dead_lettered: 0,
  dedup_rate_percent: 50,
  topics: ['orders'],
  uptime_seconds: 86_400.125,
};

export const queueStats: QueueAnswer = {
  queue_size: 0,
  queue_type: 'memory',
  worker_count: 1,
  workers_enabled: true,
  queue_size_max: 4096,
  queue_bytes: 0,
  queue_bytes_max: 268_435_456,
  key_count: 3,
  key_index_bytes: 41_943_040,
  sealed_key_count: 0,
  sealed_key_bytes: 0,
};

export const health: HealthAnswer = {
  status: 'healthy',
  database: true,
  queue: true,
  uptime_seconds: 86_400.125,
};

export const readiness = '[+] server: ok\n[+] database: ok\n[+] queue: ok\nok\n';
