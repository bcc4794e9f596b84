import type { LoadPlan, LoadResult } from './load/plan.ts';
import { eventsPerSecond, runLoad } from './load-process.ts';
import { median } from './median.ts';
import { cpuSecondsOf } from './process-figures.ts';
import type { BenchServer } from './server.ts';

/** Load of one kind. */
export interface Scenario {
  readonly name: string;
  readonly batch: number;
  readonly connections: number;
  /** Share of events that repeat an earlier one. */
  readonly duplicates: number;
  readonly events: number;
  readonly rate?: number;
}

export interface Round extends LoadResult {
  readonly eventsPerSecond: number;
  /** Of all threads of the server; where it runs in one process that the bench has started. */
  readonly serverCpuMicrosPerEvent?: number;
}

/** What a scenario came to: the medians of its rounds, and the rounds. */
export interface ScenarioFigures extends Scenario {
  readonly eventsPerSecond: number;
  readonly ackMsP50: number;
  readonly ackMsP99: number;
  readonly rounds: readonly Round[];
}

/** One server and what it has been sent: numbers up to `stored` are there, and no other. */
export class LoadedServer {
  readonly server: BenchServer;
  readonly seed: number;
  stored = 0;
  #received = 0;

  constructor(server: BenchServer, seed: number) {
    this.server = server;
    this.seed = seed;
  }

  /** The same data behind another server. */
  movedTo(server: BenchServer): LoadedServer {
    const moved = new LoadedServer(server, this.seed);
    moved.stored = this.stored;
    moved.#received = this.#received;
    return moved;
  }

  /** A figure counts only if the server has what it acknowledged. */
  async measure(
    scenario: Scenario,
    onMark?: Parameters<typeof runLoad>[1],
    markEvery?: number,
  ): Promise<Round> {
    const cpuBefore = cpuSecondsOf(this.server.pid);
    const result = await runLoad({ ...this.#plan(scenario), markEvery }, onMark);
    const cpuSeconds = cpuSecondsOf(this.server.pid) - cpuBefore;
    this.stored += result.processed;
    this.#received += result.events;
    await this.#check();
    const serverCpuMicrosPerEvent = Math.round((1e8 * cpuSeconds) / result.events) / 100;
    return { ...result, eventsPerSecond: eventsPerSecond(result), serverCpuMicrosPerEvent };
  }

  #plan({ events, batch, connections, duplicates, rate }: Scenario): LoadPlan {
    const { server, seed, stored: first } = this;
    return { url: server.url, events, batch, connections, duplicates, rate, first, seed };
  }

  async #check(): Promise<void> {
    const stats = (await (await fetch(`${this.server.url}/stats`)).json()) as Record<string, unknown>;
    if (stats['received'] !== this.#received || stats['unique_processed'] !== this.stored) {
      const { stored, seed } = this;
      const sent = JSON.stringify({ received: this.#received, stored, seed });
      throw new Error(`sent ${sent}, but the server has ${JSON.stringify(stats)}`);
    }
  }
}

export function figuresOf(scenario: Scenario, rounds: readonly Round[]): ScenarioFigures {
  return {
    ...scenario,
    eventsPerSecond: median(rounds.map((round) => round.eventsPerSecond)),
    ackMsP50: median(rounds.map((round) => round.ackMs.p50)),
    ackMsP99: median(rounds.map((round) => round.ackMs.p99)),
    rounds,
  };
}

/** Whole batches at a rate, for so many seconds. */
export function atRate(scenario: Scenario, rate: number, seconds: number): Scenario {
  const events = Math.max(1, Math.round((rate * seconds) / scenario.batch)) * scenario.batch;
  return { ...scenario, rate: Math.round(rate), events };
}

export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
