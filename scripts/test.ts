/** Runs the tests: all of them, or the files given (`npm test -- src/instant.test.ts`). */
import { globSync } from 'node:fs';
import { run } from './run.ts';

const given = process.argv.slice(2);
const files = given.length > 0 ? given : globSync(['{src,test,bench}/**/*.test.ts']).sort();
// The CLI and package tests start what a user starts: the compiled program.
process.exitCode =
  (await run(process.execPath, ['scripts/build.ts'])) ||
  (await run(process.execPath, ['--test', '--test-reporter=spec', ...files]));
