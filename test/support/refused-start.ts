import { type Finished, finished, type RunOptions, startCli } from './process.ts';

/** Runs a `sekali serve` that should not start. One that does is killed, and has no exit code then. */
export async function refusedStart(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = startCli(['serve', '--port', '0', ...args], options);
  child.stdin?.end();
  child.stdout?.on('data', (text: Buffer | string) => {
    if (String(text).includes('listening on')) child.kill('SIGKILL');
  });
  return await finished(child);
}

/** What it said is wrong, a line each. */
export function problemsOf({ stderr }: Finished): string[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^sekali: /, ''));
}
