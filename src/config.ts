import { readFileSync } from 'node:fs';
import { SekaliError } from './errors.ts';
import { didYouMean } from './nearest.ts';
import {
  bytes,
  choice,
  envOf,
  integer,
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

/** Settings of systems that Sekali succeeds which belong to a queue or database server: named, so none is lost in silence. */
export const OLDER_SERVER_ENV = {
  DATABASE_URL: 'refused',
  REDIS_URL: 'refused',
  WORKER_COUNT: 'without effect',
  QUEUE_KEY: 'without effect',
  DISABLE_WORKERS: 'without effect',
  USE_INMEMORY_QUEUE: 'without effect',
} as const;

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
  const { values, problems: found } = readSettings(SERVER_SETTINGS, { flags, env, file });
  problems.push(...found);
  const warnings = checkOlder(env, problems);

  const { apiKeyFile, config: _file, ...rest } = values;
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

  warnings.push(...topicWarnings(rest.retention, rest.dedupWindow, rest.eventBytesMax));

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

function checkOlder(env: SettingSources['env'], problems: string[]): string[] {
  const warnings: string[] = [];
  for (const [name, effect] of Object.entries(OLDER_SERVER_ENV)) {
    if (!env[name]) continue;
    if (effect === 'refused') {
      problems.push(`${name} is set, but this Sekali keeps its events in SQLite only: unset it`);
    } else warnings.push(`${name} has no effect: this Sekali commits in one thread, without a queue server`);
  }
  return warnings;
}

function isOrigin(item: string): boolean {
  return URL.canParse(item) && new URL(item).origin === item;
}
