import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OLDER_SERVER_ENV } from '../../server-settings.ts';

/** Bytes of the server's last words that are kept for when it does not start. */
const STDERR_MAX = 4096;

/**
 * A server of the demo's own: a second process of this same program, on a free port of this machine, with its data in a
 * temporary directory. It can be killed and started again on the same data and the same port.
 */
export class DemoServer {
  readonly dir = mkdtempSync(join(tmpdir(), 'sekali-demo-'));
  #child: ChildProcess | undefined;
  #url: string | undefined;

  /** Where it listens; the same after a restart. */
  get url(): string {
    if (this.#url === undefined) throw new Error('the server of the demo was never started');
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Starts it, again on the same port if it ran before. Resolves when it takes requests.
   *
   * @throws Error with what it said last, when it ends instead
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const port = this.#url === undefined ? '0' : new URL(this.#url).port;
    const flags = ['--host', '127.0.0.1', '--port', port, '--data', this.dir, '--log-format', 'json'];
    const program = process.argv[1] ?? '';
    const child = spawn(process.execPath, [...process.execArgv, program, 'serve', ...flags], {
      env: withoutSettings(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#url = await urlOf(child, signal);
  }

  /** kill -9: it gets no chance to finish anything. */
  async kill(): Promise<void> {
    if (this.#child === undefined || !this.isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** Leaves nothing behind. What it stores goes with it, so it need not end in good order. */
  async dispose(): Promise<void> {
    await this.kill();
    this.disposeNow();
  }

  /** The same without waiting, for when this process is about to end. */
  disposeNow(): void {
    if (this.isRunning) this.#child?.kill('SIGKILL');
    // A process that was just killed may leave a file behind a moment later: then it is tried again.
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** The address, from the log line that tells of it. Later lines are read and dropped: a full pipe would stop the server. */
async function urlOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  let stderr = '';
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_MAX)));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${stderr.trim()}`)));
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /"url":"([^"]+)"/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  }
  return await promise.finally(() => signal.removeEventListener('abort', onAbort));
}

/** The demo shows a server as it comes; the settings of whoever runs it are for another one. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('SEKALI_') && !(name in OLDER_SERVER_ENV)),
  );
}
