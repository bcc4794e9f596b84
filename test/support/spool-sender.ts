import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import type { SpoolTold } from './spool-process.ts';
import { until } from './until.ts';

const PROGRAM = fileURLToPath(new URL('spool-process.ts', import.meta.url));

export interface SpoolSenderOptions {
  readonly url: string;
  readonly dir: string;
  /** The ids of its events begin with it. */
  readonly run: string;
  /** Of the spool. */
  readonly maxBytes?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A publisher with a spool on disk, in a process of its own, and what it has told. */
export class SpoolSender {
  /** By topic, the ids for which `send` has resolved. */
  readonly done = new Map<string, string[]>();
  readonly failures: { readonly failed: string; readonly message: string }[] = [];
  readonly child: ChildProcess;
  doneCount = 0;
  /** When each of them resolved, in milliseconds since 1970. */
  readonly doneAtMs: number[] = [];
  readonly #ended: Promise<unknown>;

  constructor(t: TestContext, { url, dir, run, maxBytes = 64 * 1024 ** 2, env = {} }: SpoolSenderOptions) {
    this.child = spawn(process.execPath, [PROGRAM, url, dir, run, String(maxBytes)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Its lines are read to the end even when it is killed: what it has told, it has told.
    this.#ended = once(this.child, 'close');
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#book(line));
    atEnd(t, () => this.kill());
  }

  /** Resolves when it has told of so many events more. */
  async more(count: number): Promise<void> {
    const enough = this.doneCount + count;
    await until(`${enough} events are in the spool`, async () => this.doneCount >= enough).catch((error) => {
      throw new Error(`there are ${this.doneCount}; ${this.failures.at(-1)?.message}`, { cause: error });
    });
  }

  async failure(code: string): Promise<string> {
    return await until(
      `send throws ${code}`,
      async () => this.failures.find(({ failed }) => failed === code)?.message,
    );
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }

  #book(line: string): void {
    const told = JSON.parse(line) as SpoolTold;
    if ('failed' in told) {
      this.failures.push(told);
    } else {
      this.done.set(told.topic, [...(this.done.get(told.topic) ?? []), told.done]);
      this.doneAtMs.push(told.atMs);
      this.doneCount++;
    }
  }
}
