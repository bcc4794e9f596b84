import { isAllowable } from './deliver/webhooks/target-policy.ts';
import { postgresUrl, redisUrl } from './server-url.ts';
import {
  bytes,
  choice,
  integer,
  type Kind,
  list,
  optionalText,
  type Setting,
  type Settings,
  text,
  toggle,
} from './settings.ts';
import type { DedupWindow, Retention, TopicRules } from './topic-rules.ts';
import { dedupWindowRules, retentionRules } from './topic-settings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A part of names in Redis: short, and nothing that needs quoting in a shell or a log. */
const queueKey: Kind<string> = {
  isSwitch: false,
  read: (given) =>
    /^[\w:.{}-]{1,100}$/.test(given)
      ? { value: given }
      : { rule: '1 to 100 letters, digits and characters of _ : . - { }' },
};

/** Every setting of the server, once. docs/reference/configuration.md is checked against it. */
export const SERVER_SETTINGS = {
  host: setting(
    text,
    '127.0.0.1',
    'ADDRESS',
    'Address to listen on. Any but a loopback address needs an API key.',
  ),
  port: setting(integer(0, 65_535), 8080, 'PORT', 'Port to listen on; 0 takes a free one.'),
  data: setting(
    text,
    './data',
    'DIR',
    'Directory of the store. Made if it is not there; one process at a time.',
  ),
  databaseUrl: {
    ...setting(
      postgresUrl,
      undefined,
      'URL',
      'The PostgreSQL database that holds the store, instead of the directory. Any number of servers may share it.',
    ),
    olderEnv: ['DATABASE_URL'],
    secret: true,
  },
  skipMigrate: setting(
    toggle,
    false,
    '',
    'Leave the tables of the database as they are at the start: `sekali migrate` has made them, or brought them up to date.',
  ),
  redisUrl: {
    ...setting(
      redisUrl,
      undefined,
      'URL',
      'The Redis server that is the queue in front of the database: publishers are answered once it has their events.',
    ),
    olderEnv: ['REDIS_URL'],
    secret: true,
  },
  queueKey: {
    ...setting(
      queueKey,
      'sekali',
      'KEY',
      'What the names of all keys in Redis begin with. Servers with one database have one queue key.',
    ),
    olderEnv: ['QUEUE_KEY'],
  },
  backlogBytesMax: setting(
    bytes(MIB, 1024 * 1024 * MIB),
    256 * MIB,
    'BYTES',
    'Bytes of events that wait in Redis; beyond it publishers are told to come back.',
  ),
  redisReplicasMin: setting(
    integer(0, 100),
    0,
    'REPLICAS',
    'Replicas of Redis that must have an entry before its publishers are answered.',
  ),
  workerCount: {
    ...setting(
      integer(1, 64),
      2,
      'WORKERS',
      'Workers of this server, which bring events from Redis to the database.',
    ),
    olderEnv: ['WORKER_COUNT'],
  },
  disableWorkers: {
    ...setting(toggle, false, '', 'Run no worker here: other servers with the same queue key do.'),
    olderEnv: ['DISABLE_WORKERS'],
  },
  claimMs: setting(
    integer(1000, 3_600_000),
    30_000,
    'MS',
    'Time after which what a worker holds, and has not brought to its end, is given to another.',
  ),
  useInmemoryQueue: {
    ...setting(toggle, false, '', 'Do without a queue server, even if one is given.'),
    olderEnv: ['USE_INMEMORY_QUEUE'],
  },
  apiKey: {
    ...setting(
      optionalText,
      undefined,
      'KEY',
      'The key that every request must carry, but for the health checks.',
    ),
    secret: true,
  },
  apiKeyFile: setting(optionalText, undefined, 'FILE', 'File that holds the key, instead of the key itself.'),
  allowAnonymous: setting(
    toggle,
    false,
    '',
    'Serve without a key on any address and under any Host name. Only where every client is trusted.',
  ),
  corsOrigins: setting(
    list('origins such as https://app.example', isOrigin),
    [] as readonly string[],
    'ORIGINS',
    'Web origins that may call Sekali from a browser, separated by commas.',
  ),
  bodyBytesMax: setting(
    bytes(KIB, 1024 * MIB),
    16 * MIB,
    'BYTES',
    'Size of a request body, before and after decompression.',
  ),
  eventBytesMax: setting(bytes(256, 256 * MIB), MIB, 'BYTES', "Size of one event's JSON text."),
  depthMax: setting(integer(2, 500), 64, 'LEVELS', 'How deep arrays and objects may nest in an event.'),
  eventsMax: setting(integer(1, 1_000_000), 10_000, 'EVENTS', 'Events in one request.'),
  queueBytesMax: setting(
    bytes(MIB, 64 * 1024 * MIB),
    256 * MIB,
    'BYTES',
    'Bytes of request bodies that are read, decompressed or committed at one time.',
  ),
  queueRequestsMax: setting(
    integer(1, 1_000_000),
    4096,
    'REQUESTS',
    'Publish requests that are under way at one time.',
  ),
  answerBytesMax: setting(
    bytes(64 * MIB, 64 * 1024 * MIB),
    256 * MIB,
    'BYTES',
    'Bytes of events that are on their way to readers at one time.',
  ),
  connectionsMax: setting(
    integer(1, 1_000_000),
    10_000,
    'CONNECTIONS',
    'Open connections; further ones are closed at once.',
  ),
  headersTimeoutMs: setting(
    integer(100, 3_600_000),
    10_000,
    'MS',
    'Time for a connection to send the headers of a request.',
  ),
  requestTimeoutMs: setting(
    integer(100, 3_600_000),
    60_000,
    'MS',
    'Time for a client to send a whole request.',
  ),
  idleTimeoutMs: setting(
    integer(100, 3_600_000),
    65_000,
    'MS',
    'Time after which a connection is closed that sends and takes nothing.',
  ),
  streamHeartbeatMs: setting(
    integer(100, 3_600_000),
    15_000,
    'MS',
    'Time after which a stream on which nothing came gets a line that says it is alive.',
  ),
  streamStallMs: setting(
    integer(100, 3_600_000),
    30_000,
    'MS',
    'Time for the client of a stream to take what was sent, before it is told to come back and closed.',
  ),
  webhookAllow: setting(
    list('host names, addresses and networks such as 10.0.0.0/8', isAllowable),
    [] as readonly string[],
    'HOSTS',
    'Hosts, addresses and networks that webhooks may go to though they are not of the public internet, and over http, separated by commas.',
  ),
  webhookTimeoutMs: setting(
    integer(100, 600_000),
    15_000,
    'MS',
    'Time for the receiver of a webhook to answer.',
  ),
  webhookRequestsMax: setting(
    integer(1, 10_000),
    100,
    'REQUESTS',
    'Requests of webhooks that are under way at one time.',
  ),
  shutdownTimeoutMs: setting(
    integer(0, 600_000),
    10_000,
    'MS',
    'Time for a shutdown, before the process exits all the same.',
  ),
  retention: setting(
    retentionRules,
    [] as TopicRules<Retention>,
    'RULES',
    'How much of each topic is kept. What is beyond it is removed, oldest first; keys stay.',
  ),
  dedupWindow: setting(
    dedupWindowRules,
    [] as TopicRules<DedupWindow>,
    'RULES',
    'How long keys are remembered, by topic. Without a rule, for ever.',
  ),
  logLevel: setting(
    choice('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'LEVEL',
    'The least severe log lines that are written.',
  ),
  logFormat: setting(
    choice('auto', 'json', 'pretty'),
    'auto',
    'FORMAT',
    'auto is pretty on a terminal and JSON in a pipe.',
  ),
  config: setting(
    optionalText,
    undefined,
    'FILE',
    'A JSON file with any of these settings, as {"port": 9000}.',
  ),
} as const satisfies Settings;

/** Variables of systems that Sekali succeeds, and the setting that each stands for. */
export const OLDER_SERVER_ENV: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries<Setting<unknown>>(SERVER_SETTINGS).flatMap(([name, { olderEnv = [] }]) =>
    olderEnv.map((older) => [older, name]),
  ),
);

function setting<T>(kind: Setting<T>['kind'], fallback: T, form: string, meaning: string): Setting<T> {
  return { kind, fallback, form, meaning };
}

function isOrigin(item: string): boolean {
  return URL.canParse(item) && new URL(item).origin === item;
}
