/** What must hold of the source besides its tests. Everything is run, so that one call tells all there is to mend. */
import { run } from './run.ts';

const CHECKS: readonly [string, ...string[]][] = [
  ['tsc', '--noEmit'],
  ['oxlint', '--type-aware', '--deny-warnings'],
  ['biome', 'check', '.'],
  ['depcruise', 'src', '--config', '.dependency-cruiser.cjs'],
  ['knip'],
  [process.execPath, 'scripts/check-package.ts'],
  [process.execPath, 'scripts/check-client.ts'],
];

const failed: string[] = [];
for (const [program, ...args] of CHECKS) {
  process.stdout.write(`\n$ ${[program, ...args].join(' ')}\n`);
  if ((await run(program, args)) !== 0) failed.push(program);
}
process.stdout.write(failed.length === 0 ? '\nall checks passed\n' : `\nfailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
