import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server program that is none of Sekali's, listening on a port of this machine. */
export class Program {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.pid = child.pid ?? 0;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream
        ?.setEncoding('utf8')
        .on('data', (text: string) => (this.#said = (this.#said + text).slice(-2000)));
    }
  }

  /**
   * Resolves when it listens.
   *
   * @param args given the port that it should listen on
   * @throws with what it said, when it ends before that
   */
  static async start(
    path: string,
    args: (port: number) => readonly string[],
    user: { uid?: number; gid?: number } = {},
  ): Promise<Program> {
    const port = await freePort();
    const child = spawn(path, args(port), { stdio: ['ignore', 'pipe', 'pipe'], ...user });
    // However the bench ends, no program outlives it. PostgreSQL takes its children with it when it is told to quit.
    const end = () => child.kill('SIGQUIT');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const program = new Program(port, child);
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    await Promise.race([failed, program.#untilListening()]);
    return program;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async #untilListening(): Promise<void> {
    while (!(await listens(this.port))) {
      if (this.#child.exitCode !== null) throw new Error(`${this.#child.spawnfile} ended: ${this.#said}`);
      await sleep(20);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
