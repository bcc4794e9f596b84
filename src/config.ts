import { readFileSync } from 'node:fs';
import { SekaliError } from './errors.ts';
import { messageOf } from './message-of.ts';
import { didYouMean } from './nearest.ts';
import { SERVER_SETTINGS } from './server-settings.ts';
import { envOf, flagOf, readSettings, type SettingSources, type Values } from './settings.ts';
import { topicWarnings } from './topic-settings.ts';

export type Config = Readonly<Omit<Values<typeof SERVER_SETTINGS>, 'apiKeyFile' | 'config'>> & {
  /** Things the operator should know, told once at start. */
  readonly warnings: readonly string[];
};

/**
 * Reads the configuration of the server from flags, environment and file.
 *
 * @param sources `file`: what a configuration file would hold, in place of one that is named
 * @throws SekaliError `config_invalid` with every problem, in `problems`
 */
export function loadConfig({ flags, env: given, file: held }: SettingSources): Config {
  const env = withoutServiceLinks(given);
  const problems: string[] = checkNames(env);
  const fileName = readSettings({ config: SERVER_SETTINGS.config }, { flags: pick(flags, 'config'), env })
    .values.config;
  const file = held ?? (fileName === undefined ? undefined : readFile(fileName, problems));
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

  problems.push(...beyondServers(rest));
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
    problems.push(`${name} could not be read: ${messageOf(error)}`);
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
    problems.push(`${file} could not be read: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * What one request may have where servers take it: it is one transaction of the database, which has an end in time (connection.ts)
 * and in the size of what it is sent (1 GiB, PostgreSQL documentation, "Frontend/Backend Protocol"), and one entry of the queue.
 */
const EVENTS_MAX_OF_DATABASE = 100_000;
const BODY_BYTES_MAX_OF_DATABASE = 256 * 1024 * 1024;

function beyondServers(
  config: Pick<
    Values<typeof SERVER_SETTINGS>,
    'databaseUrl' | 'redisUrl' | 'eventsMax' | 'bodyBytesMax' | 'backlogBytesMax'
  >,
): string[] {
  const problems: string[] = [];
  if (config.databaseUrl === undefined) return problems;
  if (config.eventsMax > EVENTS_MAX_OF_DATABASE)
    problems.push(`events-max must not be above ${EVENTS_MAX_OF_DATABASE} with database-url`);
  if (config.bodyBytesMax > BODY_BYTES_MAX_OF_DATABASE)
    problems.push('body-bytes-max must not be above 256MiB with database-url');
  if (config.redisUrl !== undefined && 2 * config.bodyBytesMax > config.backlogBytesMax)
    problems.push('backlog-bytes-max must be at least twice body-bytes-max');
  return problems;
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
