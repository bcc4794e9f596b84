import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { StatsAnswer } from '../../../src/client/index.ts';
import { send } from '../http.ts';

const PAUSE_MS = 40;

/** Counters of which none ever goes back. */
const RISING = [
  'received',
  'unique_processed',
  'duplicate_dropped',
  'conflicts',
  'rejected',
  'dead_lettered',
] as const;

/** Reads /stats of every instance all the time, each on its own, and holds every answer against those that were there before it was asked for. */
export class StatsWatch {
  reads = 0;
  /** The highest that any answer has told. */
  readonly #floor = Object.fromEntries(RISING.map((name) => [name, 0])) as Record<
    (typeof RISING)[number],
    number
  >;
  readonly #problems: string[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #watchers: Promise<void>[];
  #stopping = false;

  constructor(urls: readonly string[], problems: string[]) {
    this.#problems = problems;
    this.#watchers = urls.map((url) => this.#watch(url));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#watchers);
  }

  abandon(): void {
    this.#stopping = true;
    this.#agent.destroy();
  }

  async #watch(url: string): Promise<void> {
    while (!this.#stopping) {
      const floor = { ...this.#floor };
      const stats = await this.#read(url);
      if (stats !== undefined) this.#check(url, stats, floor);
      await pause(PAUSE_MS);
    }
  }

  async #read(url: string): Promise<StatsAnswer | undefined> {
    try {
      const answer = await send(url, '/stats', { agent: this.#agent });
      if (answer.status === 200) return answer.json<StatsAnswer & Record<string, unknown>>();
      if (answer.status !== 503) this.#problems.push(`/stats answers ${answer.status}: ${answer.text}`);
    } catch {
      // The instance is down.
    }
    return undefined;
  }

  #check(url: string, stats: StatsAnswer, floor: Readonly<Record<string, number>>): void {
    this.reads++;
    if (!obeysLaw(stats)) this.#problems.push(`the law is broken: ${JSON.stringify(stats)}`);
    for (const name of RISING) {
      if (stats[name] < floor[name]!)
        this.#problems.push(`${name} went back from ${floor[name]} to ${stats[name]} at ${url}`);
      this.#floor[name] = Math.max(this.#floor[name], stats[name]);
    }
  }
}

export function obeysLaw(stats: StatsAnswer): boolean {
  const { received, unique_processed, duplicate_dropped, queued, dead_lettered } = stats;
  return queued >= 0 && received === unique_processed + duplicate_dropped + queued + dead_lettered;
}
