import type { RatePoint } from '../full/fill.ts';
import { atLeast, atMost, type Target } from '../full/targets.ts';
import type { Machine } from '../machine.ts';
import { median } from '../median.ts';
import { figuresOf, type ScenarioFigures } from '../scenario.ts';
import type { ClusterShape } from './cluster.ts';
import type { ClusterDisk } from './disk.ts';
import type { ClusterRound, ClusterScenario, PartMicros } from './loaded-cluster.ts';
import type { ProbeResult } from './prober.ts';

/** A scenario and the medians of its rounds. */
export interface ClusterScenarioFigures extends ScenarioFigures {
  readonly storedPerSecond: number;
  readonly cpuMicros: PartMicros;
  readonly walBytesPerEvent: number;
}

/** From an answer that says `queued` until another instance shows the event, beside a load at this rate. */
export interface ReadableFigures {
  readonly eventsPerSecond: number;
  readonly probes: number;
  /** Medians of the rounds. */
  readonly fromAnswerMsP50: number;
  readonly fromAnswerMsP99: number;
  readonly fromSendMsP50: number;
  readonly fromSendMsP99: number;
  readonly rounds: readonly ProbeResult[];
}

export interface FlatFigures {
  readonly round: ClusterRound;
  readonly points: readonly RatePoint[];
  readonly second: RatePoint;
  readonly last: RatePoint;
  readonly disk: ClusterDisk;
}

export interface ClusterFigures {
  readonly stored: ClusterScenarioFigures;
  readonly repeated: ClusterScenarioFigures;
  readonly queued: ClusterScenarioFigures;
  readonly readable: ReadableFigures;
  readonly flat: FlatFigures;
}

/** What `npm run bench:cluster` writes. */
export interface ClusterReport extends ClusterFigures {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly postgres: string;
  readonly redis: string;
  /** As PostgreSQL tells them, and as Redis was told. */
  readonly settings: Readonly<Record<string, string>>;
  readonly shape: ClusterShape;
  readonly targets: readonly Target[];
}

export function clusterFiguresOf(
  scenario: ClusterScenario,
  rounds: readonly ClusterRound[],
): ClusterScenarioFigures {
  const of = (figure: (round: ClusterRound) => number) => median(rounds.map(figure));
  return {
    ...figuresOf(scenario, rounds),
    storedPerSecond: of((round) => round.storedPerSecond),
    cpuMicros: {
      postgres: of(({ cpuMicros }) => cpuMicros.postgres),
      redis: of(({ cpuMicros }) => cpuMicros.redis),
      sekali: of(({ cpuMicros }) => cpuMicros.sekali),
      load: of(({ cpuMicros }) => cpuMicros.load),
    },
    walBytesPerEvent: of((round) => round.walBytesPerEvent),
  };
}

export function readableFiguresOf(rates: readonly number[], rounds: readonly ProbeResult[]): ReadableFigures {
  const of = (figure: (round: ProbeResult) => number) => median(rounds.map(figure));
  return {
    eventsPerSecond: median(rates),
    probes: rounds.reduce((sum, { probes }) => sum + probes, 0),
    fromAnswerMsP50: of(({ fromAnswerMs }) => fromAnswerMs.p50),
    fromAnswerMsP99: of(({ fromAnswerMs }) => fromAnswerMs.p99),
    fromSendMsP50: of(({ fromSendMs }) => fromSendMs.p50),
    fromSendMsP99: of(({ fromSendMs }) => fromSendMs.p99),
    rounds,
  };
}

/** What the log aggregator before Sekali did, in events a second. */
const PREDECESSOR = 150;

export function judgeCluster({ stored, queued, readable, flat }: ClusterFigures): Target[] {
  const rate = 'events a second';
  // Rounded down: a target that is all but met is missed.
  const times = Math.floor(queued.storedPerSecond / PREDECESSOR);
  const share = Math.floor((1000 * flat.last.eventsPerSecond) / flat.second.eventsPerSecond) / 1000;
  return [
    atLeast('PostgreSQL alone, one instance, answered when stored', 35_000, rate, stored.storedPerSecond),
    atLeast(
      'Redis, PostgreSQL and two instances, answered when queued',
      60_000,
      rate,
      queued.eventsPerSecond,
    ),
    atLeast('the same, from the first request until all is stored', 30_000, rate, queued.storedPerSecond),
    atLeast(`the same against the ${PREDECESSOR} events a second of its predecessor`, 200, '×', times),
    atLeast('rate of the last million against the second', 0.85, '', share),
    atMost(
      'from queued to readable on the other instance, at half of that rate in batches of 100, p99',
      500,
      'ms',
      readable.fromAnswerMsP99,
    ),
  ];
}
