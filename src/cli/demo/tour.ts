import { messageOf } from '../../message-of.ts';
import { bold, dim, green, red } from '../terminal.ts';
import type { DemoServer } from './demo-server.ts';
import { compare, expectationLines } from './expectation.ts';
import { Lab } from './lab.ts';
import type { Outcome, Step } from './step.ts';

/** Takes steps, tells of each as it goes, and remembers whether all was as expected. */
export class Tour {
  readonly #server: DemoServer;
  readonly #signal: AbortSignal;
  readonly #say: (line: string) => void;
  #held = 0;
  #broken = 0;
  #stepsTaken = 0;

  constructor(server: DemoServer, signal: AbortSignal, say: (line: string) => void) {
    this.#server = server;
    this.#signal = signal;
    this.#say = say;
  }

  get allHeld(): boolean {
    return this.#broken === 0;
  }

  /** @throws the signal's reason when the demo is interrupted; all else that goes wrong is a step that did not hold */
  async take(step: Step, number: number): Promise<void> {
    this.#say(`\n${bold(`${number}. ${step.title}`)}\n   ${dim(step.story)}`);
    this.#stepsTaken += 1;
    try {
      this.#report(step, await this.#run(step, `demo-${number}-${this.#stepsTaken}`));
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#broken += 1;
      this.#say(`   ${red('✗')} it broke off: ${messageOf(error)}`);
    }
  }

  /** One line on all steps so far. */
  verdict(): string {
    const all = this.#held + this.#broken;
    if (all === 0) return 'no step was taken';
    return this.allHeld
      ? green(`✓ all ${all} expectations held`)
      : red(`✗ ${this.#broken} of ${all} expectations did not hold`);
  }

  async #run(step: Step, topic: string): Promise<Outcome> {
    // An earlier step may have left it dead.
    if (!this.#server.isRunning) await this.#server.start(this.#signal);
    return await step.run(new Lab(this.#server, topic, this.#signal));
  }

  #report(step: Step, { seen, note }: Outcome): void {
    const expectations = compare(step.expected, seen);
    for (const line of expectationLines(expectations)) this.#say(`   ${line}`);
    if (note !== undefined) this.#say(`   ${dim(note)}`);
    const held = expectations.filter((expectation) => expectation.held).length;
    this.#held += held;
    this.#broken += expectations.length - held;
  }
}
