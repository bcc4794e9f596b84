import { checkName } from '../../event.ts';
import { formatInstant, parseInstant } from '../../instant.ts';
import { bytes, decimal, integer, type Kind, type Settings, type Values } from '../../settings.ts';
import { CONNECTION_SETTINGS } from '../connection.ts';
import { OUTPUT_SETTINGS } from '../listing.ts';

const NAMES_MAX = 10_000;

export const PUBLISH_SETTINGS = {
  ...CONNECTION_SETTINGS,
  topics: {
    kind: namesOrCount('topic'),
    fallback: numbered('topic', 4),
    form: 'NAMES|COUNT',
    meaning: 'Topics to publish to, separated by commas; a number stands for topic-1, topic-2, …',
    olderEnv: ['TOPIC'],
  },
  sources: {
    kind: namesOrCount('publisher'),
    fallback: numbered('publisher', 4),
    form: 'NAMES|COUNT',
    meaning: 'Sources of the events, separated by commas; a number stands for publisher-1, publisher-2, …',
  },
  total: {
    kind: integer(1, 100_000_000),
    fallback: 10_000,
    form: 'EVENTS',
    meaning: 'Events to send, the re-sent ones included.',
    olderEnv: ['TOTAL_EVENTS'],
  },
  dupRate: {
    kind: decimal(0, 1),
    fallback: 0.2,
    form: 'SHARE',
    meaning: 'Share of the events sent that are an earlier one again: exactly round(total × share) of them.',
    olderEnv: ['DUP_RATE'],
  },
  rate: {
    kind: decimal(0, 10_000_000),
    fallback: 0,
    form: 'PER_SECOND',
    meaning: 'Events per second; 0 is as fast as the server takes them.',
    olderEnv: ['RATE_PER_SEC'],
  },
  batchSize: {
    kind: integer(1, 1_000_000),
    fallback: 500,
    form: 'EVENTS',
    meaning: 'Events in one request.',
    olderEnv: ['BATCH_SIZE'],
  },
  concurrency: {
    kind: integer(1, 1000),
    fallback: 4,
    form: 'REQUESTS',
    meaning: 'Requests under way at one time.',
  },
  payloadBytes: {
    kind: bytes(100, 1024 * 1024),
    fallback: 200,
    form: 'BYTES',
    meaning: "Size of an event's payload.",
  },
  seed: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'NUMBER',
    meaning:
      'The same seed sends the same events in the same order. Without one, a new one is taken and told.',
  },
  start: {
    kind: startTime(),
    fallback: '2026-01-01T00:00:00Z',
    form: 'DATE-TIME',
    meaning: 'Timestamp of the first event; each further one is a millisecond later.',
  },
  retryForMs: {
    kind: integer(0, 86_400_000),
    fallback: 300_000,
    form: 'MS',
    meaning: 'How long one request is tried again before the publisher gives up.',
  },
  ...OUTPUT_SETTINGS,
} as const satisfies Settings;

export type PublishSettings = Values<typeof PUBLISH_SETTINGS>;

/** A list of names, or how many to make up. */
function namesOrCount(prefix: string): Kind<readonly string[]> {
  const rule = `names separated by commas, or a count from 1 to ${NAMES_MAX}`;
  return {
    isSwitch: false,
    read(given) {
      if (/^\d+$/.test(given)) {
        const count = Number(given);
        return count >= 1 && count <= NAMES_MAX ? { value: numbered(prefix, count) } : { rule };
      }
      const names = [...new Set(given.split(',').map((name) => name.trim()))];
      return names.every((name) => checkName('it', name) === undefined) ? { value: names } : { rule };
    },
  };
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);
}

/** Kept as text, as it was given: the bounds leave room for a millisecond per event. */
function startTime(): Kind<string> {
  const [first, last] = ['1970-01-01T00:00:00Z', '2200-01-01T00:00:00Z'].map(parseInstant);
  return {
    isSwitch: false,
    read(given) {
      const start = parseInstant(given);
      return start !== undefined && start >= first! && start <= last!
        ? { value: formatInstant(start) }
        : { rule: 'a date-time in the years 1970 to 2199, as 2026-01-31T12:00:00Z' };
    },
  };
}
