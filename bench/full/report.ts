import type { Machine } from '../machine.ts';
import { median } from '../median.ts';
import type { Memory } from '../process-figures.ts';
import type { ScenarioFigures } from '../scenario.ts';
import type { DedupCost } from './dedup-cost.ts';
import type { DiskFigures } from './disk.ts';
import { lastAgainstFirstTen, lastAgainstSecond, type RatePoint } from './fill.ts';
import type { KeyStats } from './key-stats.ts';
import type { ReadFigures } from './reads.ts';
import type { RetentionCost } from './retention-cost.ts';
import { atLeast, atMost, type Target } from './targets.ts';

export interface FullFigures {
  /** Events stored when memory, disk and reads were measured. */
  readonly events: number;
  readonly fill: { readonly eventsPerSecond: number; readonly points: readonly RatePoint[] };
  /** Measured once it was full: new events, half duplicates, one event a request, half of the full rate. */
  readonly scenarios: readonly [ScenarioFigures, ScenarioFigures, ScenarioFigures, ScenarioFigures];
  readonly dedupCost: DedupCost | undefined;
  readonly retentionCost: RetentionCost;
  readonly memory: Memory;
  readonly memoryAtEnd: Memory;
  readonly keyStats: KeyStats;
  /** With nothing under way; and at the end of the fill, when a merge has its inputs and its output. */
  readonly disk: DiskFigures;
  readonly diskWhileFilling: DiskFigures;
  readonly reads: ReadFigures;
  /** Each from the start of a process after kill -9 until it was ready. */
  readonly readyMs: readonly number[];
}

/** What `npm run bench:full` writes. */
export interface FullReport extends FullFigures {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly durability: string;
  readonly targets: readonly Target[];
}

export function judge(figures: FullFigures): Target[] {
  const { scenarios, dedupCost, retentionCost, memory, keyStats, disk, reads, fill } = figures;
  const [fresh, repeated, single, halfRate] = scenarios;
  return [
    atLeast('new events, batches of 500', 250_000, 'events a second', fill.eventsPerSecond),
    atMost('share of the rate that dedup costs', 0.1, '', dedupCost && share(dedupCost.cost)),
    atMost('share of the rate that retiring events costs', 0.1, '', share(retentionCost.cost)),
    atLeast('rate of the last million against the second', 0.85, '', share(lastAgainstSecond(fill.points))),
    atLeast(
      'rate of the last ten millions against the first ten, medians',
      0.85,
      '',
      share(lastAgainstFirstTen(fill.points)),
    ),
    atLeast(
      'rate with half duplicates against that of new events',
      0.7,
      '',
      share(repeated.eventsPerSecond / fresh.eventsPerSecond),
    ),
    atMost('memory of the whole process, once filled', 1024, 'MiB', memory.residentMiB),
    atMost(
      'memory for a sealed key',
      3,
      'bytes',
      Math.round((100 * keyStats.sealedBytes) / keyStats.sealedKeys) / 100,
    ),
    atMost('disk for a key, beyond the event, once merged', 40, 'bytes', disk.bytesPerKey),
    atMost('ready after kill -9', 2000, 'ms', median(figures.readyMs)),
    atLeast('one event a request', 20_000, 'events a second', single.eventsPerSecond),
    atMost('one event a request, p99', 20, 'ms', single.ackMsP99),
    atMost('half of the full rate, batches of 100, p50', 5, 'ms', halfRate.ackMsP50),
    atMost('half of the full rate, batches of 100, p99', 25, 'ms', halfRate.ackMsP99),
    atMost('a page of a thousand events of a topic, p99', 20, 'ms', reads.pagesMs.p99),
    atMost('an event by its id, p99', 5, 'ms', reads.idsMs.p99),
  ];
}

function share(value: number): number {
  return Math.round(1000 * value) / 1000;
}
