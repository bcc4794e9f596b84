import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { Sekali } from '../../src/client/sekali.ts';
import { atEnd } from './at-end.ts';
import { type RunOptions, startCli } from './process.ts';

/** A real server in a process of its own. */
export class ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** The log so far, line by line. */
  readonly log: string[];

  constructor(url: string, child: ChildProcess, log: string[]) {
    this.url = url;
    this.child = child;
    this.log = log;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the server has no pid');
    return this.child.pid;
  }

  /** A client that does not retry, so that a test sees each answer. */
  client(key?: string): Sekali {
    return new Sekali({ url: this.url, key, retryForMs: 0 });
  }

  /** Sends a signal and waits for the end; resolves with the exit code, or null when a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
    return this.child.exitCode;
  }
}

export interface ServerOptions extends RunOptions {
  dataDir: string;
  /** Further flags of `sekali serve`. */
  args?: readonly string[];
  port?: number;
}

/** Starts `sekali serve` on a free port and waits until it listens. It is killed when the test ends. */
export async function startServerProcess(
  t: Pick<TestContext, 'after'>,
  { dataDir, args = [], port = 0, ...options }: ServerOptions,
): Promise<ServerProcess> {
  const child = startCli(['serve', '--port', String(port), '--data', dataDir, ...args], options);
  atEnd(t, () => killed(child));
  const log: string[] = [];
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      log.push(line);
      const parsed = parseLine(line);
      if (parsed?.url !== undefined) resolve(parsed.url);
    });
    child.once('exit', (code) =>
      reject(new Error(`the server ended with ${code}: ${stderr}${log.join('\n')}`)),
    );
  });
  return new ServerProcess(url, child, log);
}

/** Kills it, and waits until it is gone: till then it may make files. */
async function killed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function parseLine(line: string): { url?: string } | undefined {
  try {
    return JSON.parse(line) as { url?: string };
  } catch {
    return undefined;
  }
}
