import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program of the bench that is given a plan and prints lines of JSON. It stays until its input ends. */
export class LineProcess<Line> {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  constructor(program: string, plan: object) {
    this.#name = program;
    this.#child = spawn(process.execPath, [program, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // However the bench ends, nothing outlives it.
    const end = () => this.#child.kill('SIGKILL');
    process.once('exit', end);
    this.#child.once('exit', () => process.off('exit', end));
    if (this.#child.stdout === null) throw new Error(`${program} has no output`);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws when it ends instead */
  async next(): Promise<Line> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
    return JSON.parse(value) as Line;
  }

  /** Sends it a line, to be answered with one. */
  ask(): void {
    this.#child.stdin?.write('\n');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}
