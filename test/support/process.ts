import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Environment of a process that is to take its pipes for a terminal. */
export const ON_TERMINAL = {
  NODE_OPTIONS: `--import=${new URL('./as-terminal.ts', import.meta.url).href}`,
};

/**
 * Set where the program has just been built: its threads then start in a third of the time, for they need not take the types out of
 * hundreds of files, each by itself.
 */
export const COMPILED = 'SEKALI_TEST_COMPILED';

const MAIN = fileURLToPath(
  new URL(process.env[COMPILED] === '1' ? '../../bin/sekali.js' : '../../src/cli/main.ts', import.meta.url),
);

export interface RunOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Text for its standard input. */
  input?: string;
  /** Run through this program, as `['prlimit', '--nofile=64', '--']`. */
  through?: readonly string[];
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The environment of a test's process: nothing of the one who runs the tests may configure it. */
function cleanEnv(extra: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SEKALI_') && !OLDER_NAMES.has(name) && name !== 'NODE_TEST_CONTEXT',
  );
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...extra };
}

const OLDER_NAMES = new Set([
  'DATABASE_URL',
  'REDIS_URL',
  'WORKER_COUNT',
  'QUEUE_KEY',
  'DISABLE_WORKERS',
  'USE_INMEMORY_QUEUE',
  'TARGET_URL',
  'TOPIC',
  'RATE_PER_SEC',
  'DUP_RATE',
  'BATCH_SIZE',
  'TOTAL_EVENTS',
]);

/** Starts `sekali ARGS…`. */
export function startCli(args: readonly string[], { env, cwd, through = [] }: RunOptions = {}): ChildProcess {
  const [program, ...rest] = [...through, process.execPath, MAIN, ...args] as [string, ...string[]];
  return spawn(program, rest, {
    cwd,
    env: cleanEnv(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs `sekali ARGS…` to its end. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = startCli(args, options);
  child.stdin?.end(options.input ?? '');
  return await finished(child);
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
