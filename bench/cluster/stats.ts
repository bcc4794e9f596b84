import { setTimeout as sleep } from 'node:timers/promises';

/** The counters of `GET /stats`. */
export interface Stats {
  readonly received: number;
  readonly unique_processed: number;
  readonly duplicate_dropped: number;
  readonly conflicts: number;
  readonly rejected: number;
  readonly queued: number;
  readonly dead_lettered: number;
}

/** What had become of the events at one time, by the clock of this machine. */
export interface Sample {
  readonly atMs: number;
  /** Events that the store was done with: new ones and duplicates. */
  readonly stored: number;
  readonly queued: number;
}

/** @throws unless what came in is the sum of what became of it: that holds at every read */
export async function readStats(url: string): Promise<Stats> {
  const response = await fetch(`${url}/stats`);
  if (response.status !== 200) throw new Error(`/stats: ${response.status} ${await response.text()}`);
  const stats = (await response.json()) as Stats;
  const { received, unique_processed, duplicate_dropped, queued, dead_lettered } = stats;
  if (received !== unique_processed + duplicate_dropped + queued + dead_lettered) {
    throw new Error(`what came in is not the sum of what became of it: ${JSON.stringify(stats)}`);
  }
  return stats;
}

/**
 * Asks again and again until it is over, and the queue is empty: the last sample has the time of the answer that said so.
 *
 * @throws when a counter goes back
 */
export async function watchStats(url: string, everyMs: number, isOver: () => boolean): Promise<Sample[]> {
  const samples: Sample[] = [];
  let received = 0;
  for (;;) {
    const isLast = isOver(); // asked before: what was queued until then is in the next answer
    const stats = await readStats(url);
    const sample = sampleOf(stats);
    if (stats.received < received || sample.stored < (samples.at(-1)?.stored ?? 0)) {
      throw new Error(
        `a counter went back: ${JSON.stringify(stats)} after ${received}, ${JSON.stringify(samples.at(-1))}`,
      );
    }
    received = stats.received;
    samples.push(sample);
    if (isLast && stats.queued === 0) return samples;
    await sleep(everyMs);
  }
}

function sampleOf({ unique_processed, duplicate_dropped, queued }: Stats): Sample {
  return { atMs: Date.now(), stored: unique_processed + duplicate_dropped, queued };
}
