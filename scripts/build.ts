/** Compiles `src` into `dist`. Nothing is done when `dist` is newer than everything it is made of, so a start is quick. */
import { globSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { run } from './run.ts';

const STAMP = 'dist/.built';
const inputs = [...globSync('src/**/*.ts'), 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

function isFresh(): boolean {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return inputs.every((file) => statSync(file).mtimeMs < built);
}

if (!isFresh()) {
  rmSync('dist', { recursive: true, force: true });
  process.exitCode = await run(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
  ]);
  if (process.exitCode === 0) writeFileSync(STAMP, '');
}
