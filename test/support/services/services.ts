import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { after } from 'node:test';
import { chromiumProgram, postgresPrograms, redisProgram } from './find-program.ts';
import { createDatabase, dropDatabase } from './fresh-database.ts';
import { removeKeys } from './redis-keys.ts';
import { hasSharedPostgres, hasSharedRedis, sharedPostgres, sharedRedis } from './shared-servers.ts';

/**
 * What a test needs from outside: `postgres` and `redis` are servers that it shares with other tests
 * (`shared-servers.ts`); the others are programs: of servers, for tests that start one of their own, to kill it or to have it
 * in a setting of theirs, and of a browser.
 */
export type Service = 'postgres' | 'redis' | 'postgres-server' | 'redis-server' | 'chromium';

export interface Services {
  /** For `test` and `describe`: skips where a server is missing. Where none may be, the tests run, and fail. */
  options: { skip: string | false };
  /** Resolves with the URL of an empty database. It is removed after the tests of the file. */
  postgres(): Promise<string>;
  /** Resolves with the URL of a Redis, and with a key that nobody else uses, nor any key that starts with it. */
  redis(): Promise<{ url: string; key: string }>;
}

/** A file that takes a line for each test file that had to skip tests, so that `npm test` can tell at its end. */
export const SKIPPED_FILE = 'SEKALI_TEST_SKIPPED_FILE';

/** Declares what the tests of a file need, before they are declared. */
export function useServices(...needed: Service[]): Services {
  const missing = mayBeMissing() ? missingServices(needed) : [];
  const skip = missing.length > 0 && `needs programs: ${installHint(missing)}`;
  if (skip) tellSkipped();

  const cleanUps: (() => Promise<void>)[] = [];
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });
  return {
    options: { skip },
    async postgres() {
      const server = await sharedPostgres();
      const url = await createDatabase(server);
      cleanUps.push(() => dropDatabase(server, url));
      return url;
    },
    async redis() {
      const url = await sharedRedis();
      const key = `sekali-test:${randomUUID()}`;
      cleanUps.push(() => removeKeys(url, `${key}*`));
      return { url, key };
    },
  };
}

/** The Debian packages without which tests are skipped here. */
export function missingServices(needed: readonly Service[] = ALL): string[] {
  return [...new Set(needed.filter((service) => !isThere[service]()).map((service) => PACKAGES[service]))];
}

/** What to do about them. */
export function installHint(missing: readonly string[]): string {
  return `apt install ${missing.join(' ')}`;
}

const isThere: Record<Service, () => boolean> = {
  postgres: hasSharedPostgres,
  redis: hasSharedRedis,
  'postgres-server': () => postgresPrograms() !== undefined,
  'redis-server': () => redisProgram() !== undefined,
  chromium: () => chromiumProgram() !== undefined,
};

const PACKAGES: Record<Service, string> = {
  postgres: 'postgresql',
  redis: 'redis-server',
  'postgres-server': 'postgresql',
  'redis-server': 'redis-server',
  chromium: 'chromium',
};

const ALL = Object.keys(PACKAGES) as Service[];

function mayBeMissing(): boolean {
  const { CI = '', SEKALI_TEST_REQUIRE_SERVICES: required = '' } = process.env;
  return [CI, required].every((value) => ['', '0', 'false'].includes(value));
}

function tellSkipped(): void {
  const file = process.env[SKIPPED_FILE];
  if (file !== undefined) appendFileSync(file, `${relative('.', process.argv[1] ?? '?')}\n`);
}
