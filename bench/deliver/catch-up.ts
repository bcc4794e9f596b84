import { cpuSecondsOf } from '../process-figures.ts';
import type { LoadedServer } from '../scenario.ts';
import { LineProcess } from './line-process.ts';
import type { FollowMark, FollowPlan } from './plan.ts';

export interface CatchUpRound {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly serverCpuMicrosPerEvent: number;
  readonly readerCpuMicrosPerEvent: number;
}

/** One reader, from the first event to the last of what a server has. */
export async function measureCatchUp({ server, stored }: LoadedServer): Promise<CatchUpRound> {
  const path = '/stream?after=0';
  const plan: FollowPlan = { url: server.url, path, streams: 1, events: stored, isLive: false };
  const cpuBefore = cpuSecondsOf(server.pid);
  const reader = new LineProcess<FollowMark>('bench/deliver/follow.ts', plan);
  try {
    await reader.next();
    const { seconds, received, cpuMicrosPerEvent } = await reader.next();
    return {
      events: received,
      eventsPerSecond: Math.round(received / seconds),
      serverCpuMicrosPerEvent: Math.round((1e8 * (cpuSecondsOf(server.pid) - cpuBefore)) / received) / 100,
      readerCpuMicrosPerEvent: cpuMicrosPerEvent,
    };
  } finally {
    await reader.stop();
  }
}
