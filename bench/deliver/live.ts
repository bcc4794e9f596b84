import type { LatencySummary } from '../load/latencies.ts';
import { cpuSecondsOf } from '../process-figures.ts';
import type { BenchServer } from '../server.ts';
import { LineProcess } from './line-process.ts';
import { LIVE_TOPIC } from './live-events.ts';
import { publishLive } from './live-publisher.ts';
import type { FollowMark, FollowPlan } from './plan.ts';

/** Subscribers of one topic, and events that come at a fixed rate. */
export interface LiveScenario {
  readonly subscribers: number;
  readonly events: number;
  readonly batch: number;
  readonly everyMs: number;
}

export interface LiveRound {
  /** From when an event was due to be sent until a subscriber had read it: of each event for each subscriber. */
  readonly deliveryMs: LatencySummary;
  /** From when a batch was due to be sent until its publisher was told that it is stored. */
  readonly ackMs: LatencySummary;
  readonly delivered: number;
  /** Of all threads of the server, in cores. */
  readonly serverCores: number;
  readonly subscriberCores: number;
}

/** Every subscriber gets each event once, in order, or it throws. */
export async function measureLive(
  { url, pid }: BenchServer,
  { subscribers, events, batch, everyMs }: LiveScenario,
): Promise<LiveRound> {
  const path = `/stream?topic=${LIVE_TOPIC}`;
  const plan: FollowPlan = { url, path, streams: subscribers, events, isLive: true };
  const followers = new LineProcess<FollowMark>('bench/deliver/follow.ts', plan);
  try {
    await followers.next();
    const cpuBefore = cpuSecondsOf(pid);
    const startedMs = performance.now();
    const ackMs = await publishLive({ url, events, batch, everyMs });
    const { latencyMs, received, cpuMicrosPerEvent } = await followers.next();
    const seconds = (performance.now() - startedMs) / 1000;
    const cores = (cpuSeconds: number) => Math.round((100 * cpuSeconds) / seconds) / 100;
    return {
      deliveryMs: latencyMs,
      ackMs,
      delivered: received,
      serverCores: cores(cpuSecondsOf(pid) - cpuBefore),
      subscriberCores: cores((cpuMicrosPerEvent * received) / 1e6),
    };
  } finally {
    await followers.stop();
  }
}
