import { readFileSync } from 'node:fs';
import { SekaliError } from './errors.ts';
import { didYouMean } from './nearest.ts';
import { postgresUrl, redisUrl } from './server-url.ts';
import {
  bytes,
  choice,
  envOf,
  flagOf,
  integer,
  type Kind,
  list,
  optionalText,
  readSettings,
  type Setting,
  type SettingSources,
  type Settings,
  text,
  toggle,
  type Values,
} from './settings.ts';
import type { DedupWindow, Retention, TopicRules } from './topic-rules.ts';
import { dedupWindowRules, retentionRules, topicWarnings } from './topic-settings.ts';

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

export type Config = Readonly<Omit<Values<typeof SERVER_SETTINGS>, 'apiKeyFile' | 'config'>> & {
  /** Things the operator should know, told once at start. */
  readonly warnings: readonly string[];
};

/**
 * Reads the configuration of the server from flags, environment and file.
 *
 * @throws SekaliError `config_invalid` with every problem, in `problems`
 */
export function loadConfig({ flags, env: given }: Pick<SettingSources, 'flags' | 'env'>): Config {
  const env = withoutServiceLinks(given);
  const problems: string[] = checkNames(env);
  const fileName = readSettings({ config: SERVER_SETTINGS.config }, { flags: pick(flags, 'config'), env })
    .values.config;
  const file = fileName === undefined ? undefined : readFile(fileName, problems);
  if (file?.members['config'] !== undefined) problems.push(`${file.name}: config cannot name a further file`);
  const { values, problems: found, given: named } = readSettings(SERVER_SETTINGS, { flags, env, file });
  problems.push(...found);

  const { apiKeyFile, config: _file, ...all } = values;
  const rest = { ...all, redisUrl: all.useInmemoryQueue ? undefined : all.redisUrl };
  const apiKey = apiKeyFile === undefined ? rest.apiKey : readKeyFile(apiKeyFile, rest.apiKey, problems);
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    problems.push('the API key must be visible ASCII characters without a space');
  }
  if (apiKey === undefined && !rest.allowAnonymous && !isLoopback(rest.host)) {
    problems.push(
      `listening on ${rest.host} needs an API key: set SEKALI_API_KEY or SEKALI_API_KEY_FILE (or SEKALI_ALLOW_ANONYMOUS=1 to serve everybody)`,
    );
  }
  if (rest.eventBytesMax > rest.bodyBytesMax)
    problems.push('event-bytes-max must not be above body-bytes-max');
  // A compressed body and what comes out of it are in memory together: without room for both it would be told to come
  // back for ever.
  if (2 * rest.bodyBytesMax > rest.queueBytesMax)
    problems.push('queue-bytes-max must be at least twice body-bytes-max');

  if (rest.redisUrl !== undefined && all.databaseUrl === undefined && !named.has('databaseUrl')) {
    problems.push(
      'redis-url needs database-url: the workers behind the queue share a database. Without one, leave it out, or set use-inmemory-queue',
    );
  }

  const warnings = [
    ...withoutEffect(rest, named),
    ...topicWarnings(rest.retention, rest.dedupWindow, rest.eventBytesMax),
  ];

  if (problems.length > 0) {
    throw new SekaliError('config_invalid', problems.join('\n'), { problems });
  }
  return Object.freeze({ ...rest, apiKey, warnings });
}

/** Variables with our prefix that are no settings of the server: the client's, and that of the tests. */
const OTHER_ENV = new Set(['SEKALI_URL', 'SEKALI_KEY', 'SEKALI_FAILPOINT']);

/** A setting that is misspelled would otherwise be left at its default in silence. */
function checkNames(env: SettingSources['env']): string[] {
  const names = Object.entries(SERVER_SETTINGS).flatMap(([name, setting]) => envOf(name, setting));
  return Object.keys(env)
    .filter((name) => name.startsWith('SEKALI_') && !names.includes(name) && !OTHER_ENV.has(name))
    .map((name) => `${name} is no setting${didYouMean(name, names)}`);
}

/**
 * Kubernetes tells every container of every service beside it. Of one that is named `sekali` it sets SEKALI_PORT to an
 * address, and SEKALI_SERVICE_… and SEKALI_PORT_… besides (Kubernetes documentation, "Discovering services").
 */
function withoutServiceLinks(env: SettingSources['env']): SettingSources['env'] {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !/^SEKALI_(SERVICE|PORT)_/.test(name) && !(name === 'SEKALI_PORT' && value?.startsWith('tcp://')),
    ),
  );
}

/** Loopback by name or address: what a request from this machine alone can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return (
    bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
  );
}

function setting<T>(kind: Setting<T>['kind'], fallback: T, form: string, meaning: string): Setting<T> {
  return { kind, fallback, form, meaning };
}

function pick(flags: ReadonlyMap<string, string | true>, name: string): ReadonlyMap<string, string | true> {
  const value = flags.get(name);
  return value === undefined ? new Map() : new Map([[name, value]]);
}

function readFile(name: string, problems: string[]): SettingSources['file'] {
  try {
    const members: unknown = JSON.parse(readFileSync(name, 'utf8'));
    if (typeof members === 'object' && members !== null && !Array.isArray(members)) {
      return { name, members: members as Record<string, unknown> };
    }
    problems.push(`${name} must hold a JSON object`);
  } catch (error) {
    problems.push(`${name} could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}

function readKeyFile(file: string, key: string | undefined, problems: string[]): string | undefined {
  if (key !== undefined) problems.push('give the API key or a file with it, not both');
  try {
    const read = readFileSync(file, 'utf8').trim();
    if (read === '') problems.push(`${file} must hold the API key, and is empty`);
    return read === '' ? undefined : read;
  } catch (error) {
    problems.push(`${file} could not be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Settings that say how the queue server is used. */
const QUEUE_SETTINGS = [
  'queueKey',
  'backlogBytesMax',
  'redisReplicasMin',
  'workerCount',
  'disableWorkers',
  'claimMs',
] as const satisfies (keyof typeof SERVER_SETTINGS)[];

/** What is given and does nothing is told: whoever gave it thinks otherwise. */
function withoutEffect(
  { databaseUrl, redisUrl: queueUrl }: Pick<Values<typeof SERVER_SETTINGS>, 'databaseUrl' | 'redisUrl'>,
  given: ReadonlySet<string>,
): string[] {
  const warnings: string[] = [];
  if (databaseUrl !== undefined && given.has('data'))
    warnings.push('data has no effect: the events are in the database that database-url names');
  if (databaseUrl === undefined && given.has('skipMigrate'))
    warnings.push('skip-migrate has no effect without database-url');
  if (queueUrl === undefined) {
    for (const name of QUEUE_SETTINGS.filter((one) => given.has(one)))
      warnings.push(`${flagOf(name)} has no effect without redis-url`);
  }
  return warnings;
}

function isOrigin(item: string): boolean {
  return URL.canParse(item) && new URL(item).origin === item;
}
