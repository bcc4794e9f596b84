import { LoadedServer, newSeed, type Round, type Scenario } from '../scenario.ts';
import type { BenchServer } from '../server.ts';
import { LineProcess } from './line-process.ts';
import type { FollowMark, FollowPlan } from './plan.ts';

/** Publishing at full rate while subscribers follow all topics. */
export interface FollowedRound extends Round {
  /** Share of the events, over all subscribers, that they had when the last one was acknowledged. */
  readonly shareInTime: number;
  /** From then on, until each subscriber had each event. */
  readonly caughtUpSeconds: number;
  /** For each event that one of them has received. */
  readonly subscriberCpuMicrosPerEvent: number;
}

export async function measureIngestAlone(server: BenchServer, scenario: Scenario): Promise<Round> {
  return await new LoadedServer(server, newSeed()).measure(scenario);
}

/** Each subscriber gets each event once, in order, if late, or it throws. */
export async function measureFollowedIngest(
  server: BenchServer,
  scenario: Scenario,
  subscribers: number,
): Promise<FollowedRound> {
  const { events } = scenario;
  const plan: FollowPlan = { url: server.url, path: '/stream', streams: subscribers, events, isLive: false };
  const followers = new LineProcess<FollowMark>('bench/deliver/follow.ts', plan);
  try {
    await followers.next();
    const round = await new LoadedServer(server, newSeed()).measure(scenario);
    const loadedAt = performance.now();
    followers.ask();
    let received = Number.NaN;
    let subscriberCpuMicrosPerEvent = Number.NaN;
    for (let isDone = false; !isDone || Number.isNaN(received); ) {
      const mark = await followers.next(); // they may have been done before they were asked
      if (mark.what === 'asked') received = mark.received;
      if (mark.what === 'done') isDone = true;
      subscriberCpuMicrosPerEvent = mark.cpuMicrosPerEvent;
    }
    const shareInTime = Math.round((1000 * received) / (subscribers * events)) / 1000;
    const caughtUpSeconds = Math.round(performance.now() - loadedAt) / 1000;
    return { ...round, shareInTime, caughtUpSeconds, subscriberCpuMicrosPerEvent };
  } finally {
    await followers.stop();
  }
}
