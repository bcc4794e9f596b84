import type { TestContext } from 'node:test';
import { type Answer, send } from '../http.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import type { TcpProxy } from '../services/tcp-proxy.ts';
import { until } from '../until.ts';

/** The networks of one instance. */
export interface Links {
  readonly postgres: TcpProxy;
  readonly redis: TcpProxy;
}

interface InstanceParts {
  readonly port: number;
  readonly dataDir: string;
  readonly links: Links | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** One `sekali serve` of a cluster. It has the same URL each time that it is started. */
export class Instance {
  readonly url: string;
  readonly #t: TestContext;
  readonly #parts: InstanceParts;
  #process: ServerProcess | undefined;

  constructor(t: TestContext, parts: InstanceParts) {
    this.#t = t;
    this.#parts = parts;
    this.url = `http://127.0.0.1:${parts.port}`;
  }

  get links(): Links {
    if (this.#parts.links === undefined) throw new Error('the cluster was not given links of its own');
    return this.#parts.links;
  }

  /** That was started last. */
  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error('it was not started');
    return this.#process;
  }

  get logText(): string {
    return this.process.log.join('\n');
  }

  /** @param env for this time, above its own. Resolves when it is ready. */
  async start(env: Record<string, string> = {}): Promise<void> {
    await this.#launch(env);
    await this.untilReady();
  }

  /** Starts it with a failpoint that ends it, maybe before it has said where it listens. Resolves when it has ended. */
  async die(failpoint: string): Promise<void> {
    try {
      await this.#launch({ SEKALI_FAILPOINT: failpoint });
    } catch (error) {
      // Of one that is killed there is no code.
      if (String(error).includes('the server ended with null')) return;
      throw error;
    }
    await this.untilDead();
  }

  async #launch(env: Record<string, string>): Promise<void> {
    const { port, dataDir, env: own } = this.#parts;
    this.#process = await startServerProcess(this.#t, { dataDir, port, env: { ...own, ...env } });
  }

  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** Until the process has ended by itself, by a failpoint say. */
  async untilDead(withinMs?: number): Promise<void> {
    const { child } = this.process;
    await until(
      'the process ends',
      async () => child.exitCode !== null || child.signalCode !== null,
      withinMs,
    );
  }

  async isReady(): Promise<boolean> {
    try {
      return (await this.get('/readyz')).status === 200;
    } catch {
      return false;
    }
  }

  async untilReady(): Promise<void> {
    await until(`${this.url} is ready`, () => this.isReady());
  }

  async untilNotReady(): Promise<void> {
    await until(`${this.url} is not ready`, async () => !(await this.isReady()));
  }

  /** On a connection of its own: an older one may lead to a process that has ended. */
  async get(path: string): Promise<Answer> {
    return await send(this.url, path, { agent: false });
  }
}
