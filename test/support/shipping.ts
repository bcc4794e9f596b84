import type { WireStoredEvent } from '../../src/client/index.ts';
import { finished, type RunOptions, runCli, startCli } from './process.ts';
import type { ServerProcess } from './server-process.ts';
import { until } from './until.ts';

/** What `sekali ship` prints at its end, and how it ended. */
export interface Shipped {
  code: number | null;
  counts: Record<string, number>;
  stderr: string;
}

/** Ships with a state directory of the test's, so that nothing is left to the next. */
export class Shipping {
  readonly #server: ServerProcess;
  readonly #topic: string;
  readonly #state: string;

  constructor(server: ServerProcess, { topic, state }: { topic: string; state: string }) {
    this.#server = server;
    this.#topic = topic;
    this.#state = state;
  }

  /** Runs `sekali ship ARGS…` to its end. */
  async ship(args: readonly string[], options: RunOptions = {}): Promise<Shipped> {
    return read(await runCli(this.#command(args), options));
  }

  /** Starts `sekali ship --follow ARGS…`. */
  follow(args: readonly string[], options: RunOptions = {}): Following {
    return new Following(startCli(this.#command(['--follow', '--poll-ms', '5', ...args]), options));
  }

  /** The events that the server has, in the order of their positions. */
  async events(): Promise<WireStoredEvent[]> {
    const lines = await this.#server.client().eventLines({ topic: this.#topic });
    const text = await new Response(lines).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as WireStoredEvent);
  }

  /** The `line` of each event. */
  async lines(): Promise<unknown[]> {
    return (await this.events()).map(({ payload }) => payload['line']);
  }

  /** Waits until the server has as many events. */
  async stored(count: number): Promise<void> {
    await until(`${count} events in ${this.#topic}`, async () => (await this.#count()) >= count);
  }

  async #count(): Promise<number> {
    const { topics } = await this.#server.client().topics();
    return topics.find(({ topic }) => topic === this.#topic)?.events ?? 0;
  }

  #command(args: readonly string[]): string[] {
    return ['ship', '--url', this.#server.url, '--topic', this.#topic, '--state', this.#state, ...args];
  }
}

/** A `sekali ship --follow` that runs. */
export class Following {
  readonly #child: ReturnType<typeof startCli>;
  readonly #end: ReturnType<typeof finished>;
  /** What it said so far. */
  #told = '';

  constructor(child: ReturnType<typeof startCli>) {
    this.#child = child;
    this.#end = finished(child);
    child.stderr?.on('data', (text: string) => (this.#told += text));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has said something on standard error. */
  async told(text: string): Promise<void> {
    await until(`being told: ${text}`, async () => this.#told.includes(text));
  }

  /** Ends it as an operator does. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Shipped> {
    this.#child.kill(signal);
    return read(await this.#end);
  }
}

function read({ code, stdout, stderr }: Awaited<ReturnType<typeof finished>>): Shipped {
  const counts = stdout === '' ? {} : (JSON.parse(stdout) as Record<string, number>);
  return { code, counts, stderr };
}
