import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataDir } from './data-dir.ts';

/** A program that serves Sekali's HTTP contract and prints where, as a JSON line with a `url`. */
export interface ServerCommand {
  /** What Node is started with. */
  args(dataDir: string): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The compiled server, as users run it. */
export const SEKALI: ServerCommand = {
  args: (dataDir) => ['bin/sekali.js', 'serve', '--port', '0', '--data', dataDir, '--log-format', 'json'],
};

/** A server under load, in a process of its own. */
export class BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: DataDir;
  /** From the start of the process until it said that it is ready. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess, dataDir: DataDir, readyMs: number) {
    this.url = url;
    this.pid = child.pid ?? 0;
    this.dataDir = dataDir;
    this.readyMs = readyMs;
    this.#child = child;
  }

  /** Resolves when it is ready: `/readyz` answers 200. The data of one that does not start is left to be looked at. */
  static async start(
    command: ServerCommand = SEKALI,
    dataDir = DataDir.make('sekali'),
  ): Promise<BenchServer> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, command.args(dataDir.path), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...command.env },
    });
    // However the bench ends, no server outlives it.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    try {
      const url = await readUrl(child);
      while (!(await isReady(url))) await sleep(2);
      return new BenchServer(url, child, dataDir, performance.now() - startedAt);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** A shutdown in order; the data stays. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** kill -9, as a machine that runs out of memory does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}

async function readUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no output');
  // Read on to the end: a pipe that nobody empties would stop the server in the middle of the bench.
  const lines = createInterface({ input: child.stdout });
  return await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const { url } = JSON.parse(line) as { url?: string };
      if (url !== undefined) resolve(url);
    });
    lines.once('close', () => reject(new Error('the server did not start')));
  });
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    return false;
  }
}
