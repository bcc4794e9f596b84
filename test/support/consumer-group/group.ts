import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../at-end.ts';
import { tempDir } from '../temp-dir.ts';
import type { MemberJob, Told } from './member.ts';

const MEMBERS = 4;
/** A member is killed after at most so many steps; an event has three. */
const STEPS_MAX = 60;

const MEMBER = fileURLToPath(new URL('./member.ts', import.meta.url));

/** Consumer processes. So many of them as are asked for are killed, each at some step or other; whichever dies is replaced at once. */
export class Group {
  kills = 0;
  /** Times that an event was handed out again. */
  redeliveries = 0;
  /** Times that an event was found to be booked: each of them would have been booked twice, but for its mark. */
  found = 0;
  /** Positions that were seen to be booked, or found to be. */
  readonly done = new Set<number>();
  readonly troubles: string[] = [];
  /** Rejects when a member ends otherwise than by SIGKILL. */
  readonly failed: Promise<never>;
  readonly #jobs: readonly MemberJob[];
  readonly #cacheDir: string;
  readonly #running = new Set<ChildProcess>();
  readonly #suffered = Promise.withResolvers<void>();
  readonly #fail: (error: Error) => void;
  readonly #killsWanted: number;
  #condemned = 0;
  #isOver = false;

  /** @param jobs members take them in turn */
  constructor(t: TestContext, jobs: readonly MemberJob[], kills: number) {
    this.#jobs = jobs;
    this.#killsWanted = kills;
    this.#cacheDir = tempDir(t);
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.failed.catch(() => {});
    this.#fail = reject;
    atEnd(t, () => this.#end());
    if (kills === 0) this.#suffered.resolve();
    for (let place = 0; place < MEMBERS; place++) void this.#keep(place);
  }

  /** For whoever wonders what a test has proven, or why it has failed. */
  get summary(): string {
    const troubles = this.troubles.slice(-3).map((trouble) => `; ${trouble}`);
    return (
      `${this.kills} of ${this.#killsWanted} kills, ${this.done.size} events seen done, ${this.redeliveries} handed out again, ` +
      `${this.found} of them booked before, ${this.troubles.length} troubles${troubles.join('')}`
    );
  }

  /** Resolves after all kills. From then on members live, until the test ends. */
  async suffered(): Promise<void> {
    await Promise.race([this.failed, this.#suffered.promise]);
  }

  async #keep(place: number): Promise<void> {
    for (let life = place; !this.#isOver; life++) {
      const isCondemned = this.#condemned < this.#killsWanted;
      if (isCondemned) this.#condemned++;
      const lastStep = isCondemned ? randomInt(1, STEPS_MAX) : Number.POSITIVE_INFINITY;
      await once(this.#start(this.#jobs[life % this.#jobs.length]!, lastStep), 'exit');
    }
  }

  #start(job: MemberJob, lastStep: number): ChildProcess {
    const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: this.#cacheDir };
    const args = [MEMBER, JSON.stringify(job)];
    const member = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(member);
    let steps = 0;
    const booked = new Set<number>();
    createInterface({ input: member.stdout }).on('line', (line) => {
      this.#hear(line, booked);
      if (++steps === lastStep) this.#kill(member);
    });
    let stderr = '';
    member.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    member.once('close', (code, signal) => {
      this.#running.delete(member);
      if (signal === 'SIGKILL') return;
      this.#isOver = true;
      this.#fail(new Error(`a member ended with ${code ?? signal}: ${stderr}`));
    });
    return member;
  }

  #kill(member: ChildProcess): void {
    member.kill('SIGKILL');
    if (++this.kills === this.#killsWanted) this.#suffered.resolve();
  }

  #hear(line: string, booked: Set<number>): void {
    // The last one may be half a line.
    if (!line.endsWith('}')) return;
    const told = JSON.parse(line) as Told;
    if (told.step === 'trouble') this.troubles.push(told.message);
    else if (told.step === 'booked') booked.add(told.position);
    else if (told.step === 'begun' && told.attempt > 1) this.redeliveries++;
    else if (told.step === 'done') {
      if (!booked.has(told.position)) this.found++;
      this.done.add(told.position);
    }
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    const ends = [...this.#running].map((member) => once(member, 'close'));
    for (const member of this.#running) member.kill('SIGKILL');
    await Promise.all(ends);
  }
}
