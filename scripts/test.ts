/**
 * Runs the tests: all of them, or the files given (`npm test -- src/instant.test.ts`).
 *
 * All of them share one PostgreSQL and one Redis, which are started while the program is built. Files that are run by
 * themselves start what they need.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { COMPILED } from '../test/support/process.ts';
import { installHint, missingServices, SKIPPED_FILE } from '../test/support/services/services.ts';
import { endSharedServers, startSharedServers } from '../test/support/services/shared-servers.ts';
import { run } from './run.ts';

const given = process.argv.slice(2);
const files = given.length > 0 ? given : globSync(['{src,test,bench}/**/*.test.ts']).sort();
const dir = mkdtempSync(join(tmpdir(), 'sekali-test-run-'));
const skipped = join(dir, 'skipped');

// The CLI and package tests start what a user starts: the compiled program.
const [built, servers] = await Promise.all([
  run(process.execPath, ['scripts/build.ts']),
  given.length > 0 ? {} : startSharedServers(),
]);
// Tests wait for processes of theirs most of the time. Node's own choice, a file fewer than there are cores, leaves one of two idle.
const concurrency = `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`;
// What one process has compiled, and stripped of types, the next one of hundreds need not: a test file takes a third less processor time
// to load, a server a tenth less to start.
const cache = { NODE_COMPILE_CACHE: resolve('node_modules/.cache/sekali-test-compile') };
const env = { ...process.env, ...cache, ...servers, [SKIPPED_FILE]: skipped, [COMPILED]: '1' };
process.exitCode =
  built || (await run(process.execPath, ['--test', concurrency, '--test-reporter=spec', ...files], env));
await endSharedServers();
tellSkipped();
rmSync(dir, { recursive: true });

/** Said last and once, for among hundreds of tests a skipped one is not seen. */
function tellSkipped(): void {
  const files = [...new Set(lines(skipped))].sort();
  if (files.length === 0) return;
  const text = `NOT TESTED for want of programs: ${files.join(', ')}. Mend it: ${installHint(missingServices())}`;
  process.stdout.write(`\n${styleText(['bold', 'yellow'], text)}\n`);
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
