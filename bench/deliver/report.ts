import { atLeast, atMost, type Target } from '../full/targets.ts';
import type { Machine } from '../machine.ts';
import { median } from '../median.ts';
import type { Round, Scenario } from '../scenario.ts';
import type { CatchUpRound } from './catch-up.ts';
import type { GroupRound, GroupScenario } from './group.ts';
import type { FollowedRound } from './ingest.ts';
import type { LiveRound, LiveScenario } from './live.ts';

/** What was measured, round by round. */
export interface DeliverRounds {
  readonly live: LiveRound[];
  readonly catchUp: CatchUpRound[];
  readonly group: GroupRound[];
  readonly ingestAlone: Round[];
  readonly ingestFollowed: FollowedRound[];
}

/** Medians of the rounds, and the rounds. */
export interface DeliverFigures {
  readonly live: {
    readonly deliveryMsP50: number;
    readonly deliveryMsP99: number;
    readonly ackMsP99: number;
    readonly serverCores: number;
    readonly subscriberCores: number;
    readonly rounds: readonly LiveRound[];
  };
  readonly catchUp: { readonly eventsPerSecond: number; readonly rounds: readonly CatchUpRound[] };
  readonly group: {
    readonly eventsPerSecond: number;
    readonly fetchMsP50: number;
    readonly ackMsP50: number;
    readonly rounds: readonly GroupRound[];
  };
  readonly ingest: {
    readonly alonePerSecond: number;
    readonly followedPerSecond: number;
    /** Rounded down: a target that is all but met is missed. */
    readonly share: number;
    readonly shareInTime: number;
    readonly caughtUpSeconds: number;
    readonly alone: readonly Round[];
    readonly followed: readonly FollowedRound[];
  };
}

export interface DeliverScenarios {
  readonly live: LiveScenario;
  /** What is stored before the one reader begins. */
  readonly catchUp: Scenario;
  /** What is stored before the group begins, and the group. */
  readonly group: Scenario & GroupScenario;
  readonly ingest: Scenario & { readonly subscribers: number };
}

/** What `npm run bench:deliver` writes. */
export interface DeliverReport extends DeliverFigures {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly scenarios: DeliverScenarios;
  readonly targets: readonly Target[];
}

export function deliverFiguresOf(rounds: DeliverRounds): DeliverFigures {
  const { live, catchUp, group, ingestAlone, ingestFollowed } = rounds;
  const alonePerSecond = medianOf(ingestAlone, (round) => round.eventsPerSecond);
  const followedPerSecond = medianOf(ingestFollowed, (round) => round.eventsPerSecond);
  return {
    live: {
      deliveryMsP50: medianOf(live, ({ deliveryMs }) => deliveryMs.p50),
      deliveryMsP99: medianOf(live, ({ deliveryMs }) => deliveryMs.p99),
      ackMsP99: medianOf(live, ({ ackMs }) => ackMs.p99),
      serverCores: medianOf(live, ({ serverCores }) => serverCores),
      subscriberCores: medianOf(live, ({ subscriberCores }) => subscriberCores),
      rounds: live,
    },
    catchUp: { eventsPerSecond: medianOf(catchUp, (round) => round.eventsPerSecond), rounds: catchUp },
    group: {
      eventsPerSecond: medianOf(group, (round) => round.eventsPerSecond),
      fetchMsP50: medianOf(group, ({ fetchMs }) => fetchMs.p50),
      ackMsP50: medianOf(group, ({ ackMs }) => ackMs.p50),
      rounds: group,
    },
    ingest: {
      alonePerSecond,
      followedPerSecond,
      share: Math.floor((1000 * followedPerSecond) / alonePerSecond) / 1000,
      shareInTime: medianOf(ingestFollowed, ({ shareInTime }) => shareInTime),
      caughtUpSeconds: medianOf(ingestFollowed, ({ caughtUpSeconds }) => caughtUpSeconds),
      alone: ingestAlone,
      followed: ingestFollowed,
    },
  };
}

export function judgeDelivery(
  { live, catchUp, group, ingest }: DeliverFigures,
  scenarios: DeliverScenarios,
): Target[] {
  const { subscribers, batch, everyMs } = scenarios.live;
  const { consumers } = scenarios.group;
  const rate = 'events a second';
  const perSecond = ((1000 * batch) / everyMs).toLocaleString('en');
  return [
    atMost(
      `from publishing to delivery, ${subscribers} subscribers of one topic, ${perSecond} events a second, p99`,
      50,
      'ms',
      live.deliveryMsP99,
    ),
    atLeast(
      `catch-up of one reader over ${scenarios.catchUp.events.toLocaleString('en')} events`,
      150_000,
      rate,
      catchUp.eventsPerSecond,
    ),
    atLeast(
      `a subscription with ${consumers} consumers, fetched and acknowledged`,
      40_000,
      rate,
      group.eventsPerSecond,
    ),
    atLeast(
      `publishing while ${scenarios.ingest.subscribers} subscribers follow all topics, against without them`,
      0.8,
      '',
      ingest.share,
    ),
  ];
}

function medianOf<R>(rounds: readonly R[], figure: (round: R) => number): number {
  return median(rounds.map(figure));
}
