import type { LoadPlan } from '../load/plan.ts';
import { eventsPerSecond, runLoad } from '../load-process.ts';
import type { Round, Scenario } from '../scenario.ts';
import type { Cluster, PartSeconds } from './cluster.ts';
import { readStats, type Sample, watchStats } from './stats.ts';

export interface ClusterScenario extends Scenario {
  readonly ack: 'stored' | 'queued';
}

export interface ClusterRound extends Round {
  /** From the first request until the queue was empty. */
  readonly storedPerSecond: number;
  /** The most that were seen to wait in the queue. */
  readonly queuedMost: number;
  readonly cpuMicros: PartMicros;
  /** Written by PostgreSQL to its write-ahead log, for each event. */
  readonly walBytesPerEvent: number;
}

/** Processor time for each event; that of the load generator beside those of the cluster. */
export interface PartMicros extends PartSeconds {
  readonly load: number;
}

const LOOK_EVERY_MS = 100;

/** A cluster and what it has been sent: numbers up to `stored` are there, and no other. */
export class LoadedCluster {
  readonly cluster: Cluster;
  readonly #seed: number;
  #stored = 0;
  #received = 0;
  /** New events that have no number. */
  #besides = 0;

  constructor(cluster: Cluster, seed: number) {
    this.cluster = cluster;
    this.#seed = seed;
  }

  /**
   * A figure counts only if the store has each event once, and nothing is left in the queue.
   *
   * @param beside what else is done until the signal says that all of the load has been sent; resolves with the number
   *   of new events that it has sent itself
   */
  async measure(
    scenario: ClusterScenario,
    beside: (signal: AbortSignal) => Promise<number> = async () => 0,
  ): Promise<{ round: ClusterRound; samples: readonly Sample[] }> {
    const { cluster } = this;
    const before = { cpu: cluster.cpuSeconds(), wal: await cluster.walBytes() };
    const sent = new AbortController();
    let isOver = false;
    const load = runLoad(this.#plan(scenario)).finally(() => sent.abort());
    const besides = beside(sent.signal);
    const all = Promise.all([load, besides]).finally(() => (isOver = true));
    const [[result, more], samples] = await Promise.all([
      all,
      watchStats(cluster.urls[0], LOOK_EVERY_MS, () => isOver),
    ]);
    const cpu = cluster.cpuSeconds();
    const walBytes = (await cluster.walBytes()) - before.wal;
    this.#received += result.events;
    this.#stored += result.fresh;
    this.#besides += more;
    await this.#check();

    const { events, startedAtMs, cpuMicrosPerEvent } = result;
    const micros = (part: keyof PartSeconds) => round(1e6 * (cpu[part] - before.cpu[part]), events, 100);
    const seconds = ((samples.at(-1)?.atMs ?? Number.NaN) - startedAtMs) / 1000;
    return {
      samples,
      round: {
        ...result,
        eventsPerSecond: eventsPerSecond(result),
        storedPerSecond: round(events, seconds, 1),
        queuedMost: Math.max(...samples.map(({ queued }) => queued)),
        cpuMicros: {
          postgres: micros('postgres'),
          redis: micros('redis'),
          sekali: micros('sekali'),
          load: cpuMicrosPerEvent,
        },
        walBytesPerEvent: round(walBytes, events, 1),
      },
    };
  }

  /** What has been sent is stored by now, each event once; and each instance says the same of it. */
  async #check(): Promise<void> {
    const expected = {
      received: this.#received + this.#besides,
      unique_processed: this.#stored + this.#besides,
      duplicate_dropped: this.#received - this.#stored,
      conflicts: 0,
      rejected: 0,
      queued: 0,
      dead_lettered: 0,
    };
    for (const url of this.cluster.urls) {
      const stats = await readStats(url);
      for (const [name, value] of Object.entries(expected)) {
        if (stats[name as keyof typeof expected] === value) continue;
        throw new Error(`${JSON.stringify(expected)} were sent, but the store has ${JSON.stringify(stats)}`);
      }
    }
  }

  #plan({ events, batch, connections, duplicates, rate, ack }: ClusterScenario): LoadPlan {
    const [url, ...others] = this.cluster.urls;
    const first = this.#stored;
    return { url, others, events, batch, connections, duplicates, rate, ack, first, seed: this.#seed };
  }
}

function round(amount: number, over: number, parts: number): number {
  return Math.round((parts * amount) / over) / parts;
}
