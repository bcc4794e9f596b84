import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { until } from '../until.ts';
import type { Watchdog } from './watchdog.ts';

export interface ServerCommand {
  program: string;
  args: readonly string[];
  /** Where it runs, and the user it runs as, if not this one. */
  dir: string;
  user?: { uid: number; gid: number } | undefined;
  log: string;
  watchdog: Watchdog;
}

/** A server program from its start to its end. It does not keep this process alive. */
export class ServerChild {
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
  }

  /** Starts it and waits until `answers` says that it serves. */
  static async start(command: ServerCommand, answers: () => Promise<boolean>): Promise<ServerChild> {
    const { program, args, dir, user, log, watchdog } = command;
    const output = openSync(log, 'a');
    const child = spawn(program, args, {
      cwd: dir,
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      // Signals of the terminal are for the tests.
      detached: true,
      stdio: ['ignore', output, output],
      ...user,
    });
    closeSync(output);
    await once(child, 'spawn');
    watchdog.watch(child);
    child.unref();
    const started = new ServerChild(child, log);
    await until(`an answer of ${program}`, () => started.#isUp(answers));
    return started;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    this.#child.ref();
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async #isUp(answers: () => Promise<boolean>): Promise<boolean> {
    if (this.running) return await answers();
    throw new Error(`${this.#child.spawnfile} ended at its start:\n${readFileSync(this.#log, 'utf8')}`);
  }
}
