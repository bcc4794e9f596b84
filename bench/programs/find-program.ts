import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program on the PATH or in one of the directories that Debian puts servers into. */
export function findProgram(name: string, directories: readonly string[] = []): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...directories];
  return places.map((place) => join(place, name)).find(isExecutable);
}

/** The first line with a version number in it that the program prints. */
export function versionOf(path: string): string {
  const said = execFileSync(path, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+(\.\d+)?/.exec(said)?.[0] ?? said.trim();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
