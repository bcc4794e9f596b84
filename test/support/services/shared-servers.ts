import { postgresPrograms, redisProgram } from './find-program.ts';
import { ClusterTemplate, POSTGRES_TEMPLATE } from './postgres-cluster.ts';
import { PostgresServer } from './postgres-server.ts';
import { RedisServer } from './redis-server.ts';

/** Servers that are there already: given by an operator, or by `npm test` to the processes of its test files. */
export const POSTGRES_URL = 'SEKALI_TEST_POSTGRES_URL';
export const REDIS_URL = 'SEKALI_TEST_REDIS_URL';

/**
 * Many test files at once may be connected to it. Nobody kills it, and a commit outlives any process without fsync too; with it each database
 * that is dropped, which is a checkpoint, takes 430 instead of 30 ms, and there are hundreds.
 */
const SETTINGS = { max_connections: 300, fsync: 'off' };

let template: ClusterTemplate | undefined;
let postgres: Promise<PostgresServer> | undefined;
let redis: Promise<RedisServer> | undefined;

export function hasSharedPostgres(): boolean {
  return process.env[POSTGRES_URL] !== undefined || postgresPrograms() !== undefined;
}

export function hasSharedRedis(): boolean {
  return process.env[REDIS_URL] !== undefined || redisProgram() !== undefined;
}

/** URL of a server to share. One that is started here ends when this process ends, if not sooner. */
export async function sharedPostgres(): Promise<string> {
  const given = process.env[POSTGRES_URL];
  if (given !== undefined) return given;
  postgres ??= PostgresServer.start({ settings: SETTINGS });
  return (await postgres).url('postgres');
}

export async function sharedRedis(): Promise<string> {
  const given = process.env[REDIS_URL];
  if (given !== undefined) return given;
  redis ??= RedisServer.start();
  return (await redis).url;
}

/** Starts those that can be had here; resolves with the environment that gives them to other processes. */
export async function startSharedServers(): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  const programs = postgresPrograms();
  if (programs !== undefined) {
    template = new ClusterTemplate(programs);
    env[POSTGRES_TEMPLATE] = template.data;
  }
  if (hasSharedPostgres()) env[POSTGRES_URL] = await sharedPostgres();
  if (hasSharedRedis()) env[REDIS_URL] = await sharedRedis();
  return env;
}

/** Ends what this process started, sooner than its watchdogs would. */
export async function endSharedServers(): Promise<void> {
  await template?.[Symbol.asyncDispose]();
  await (await postgres)?.[Symbol.asyncDispose]();
  await (await redis)?.[Symbol.asyncDispose]();
}
