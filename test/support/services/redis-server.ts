import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { ServerChild } from './server-child.ts';
import { Watchdog } from './watchdog.ts';

export interface RedisOptions {
  /** Whether it has its data again after `kill` and `restart`. */
  appendonly?: boolean;
  appendfsync?: 'always' | 'everysec' | 'no';
  /** Further flags of `redis-server`. */
  args?: readonly string[];
}

/**
 * A Redis of the test's own, in a temporary directory. It is up, or down after `kill`; `restart` brings it up again with the
 * port it had, and with the data that its append-only file has. It ends and its directory goes with `await using`, or else
 * with this process.
 */
export class RedisServer {
  readonly port: number;
  /** Has the append-only file, and `log`. */
  readonly dir: string;
  readonly #command: Omit<Parameters<typeof ServerChild.start>[0], 'dir' | 'log' | 'watchdog'>;
  readonly #watchdog: Watchdog;
  #child: ServerChild | undefined;

  private constructor(program: string, port: number, options: RedisOptions) {
    this.port = port;
    this.dir = mkdtempSync(join(tmpdir(), 'sekali-test-redis-'));
    this.#command = { program, args: flags(port, options) };
    this.#watchdog = new Watchdog(this.dir, 'KILL');
  }

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const program = redisProgram();
    if (program === undefined) throw new Error('Redis is not installed: apt install redis-server');
    const server = new RedisServer(program, await freePort(), options);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Of the process that was started last. */
  get pid(): number {
    return this.#child!.pid;
  }

  /** Ends it as a crash of the process does. Resolves when it is down. */
  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }

  /** Starts it again, after killing it if it is up. Resolves when it has loaded its data. */
  async restart(): Promise<void> {
    await this.kill();
    const where = { dir: this.dir, log: join(this.dir, 'log'), watchdog: this.#watchdog };
    this.#child = await ServerChild.start({ ...this.#command, ...where }, () => answersPing(this.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#watchdog.end();
  }
}

function flags(
  port: number,
  { appendonly = true, appendfsync = 'everysec', args = [] }: RedisOptions,
): string[] {
  const aof = ['--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', appendfsync];
  return ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...aof, ...args];
}

/** One that still loads its data answers with an error. */
async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data')) as [string];
    return answer.startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
