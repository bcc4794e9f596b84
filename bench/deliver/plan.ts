import type { LatencySummary } from '../load/latencies.ts';

/** What a process of subscribers is to do. */
export interface FollowPlan {
  readonly url: string;
  /** Of the stream, with its query. */
  readonly path: string;
  readonly streams: number;
  /** That each of them is to get, from position 1 on. It is over when all of them have. */
  readonly events: number;
  /** Whether they are live events (live-events.ts), of which each tells when it was due. */
  readonly isLive: boolean;
}

/** It prints one when all streams are open, one whenever it is sent a line, and one at the end. */
export interface FollowMark {
  readonly what: 'open' | 'asked' | 'done';
  /** By all of the subscribers together. */
  readonly received: number;
  /** Since the first of them asked for its stream. */
  readonly seconds: number;
  /** From when a live event was due to be sent until a subscriber had read it. */
  readonly latencyMs: LatencySummary;
  /** Processor time of the subscribers, for each event that one of them has received. */
  readonly cpuMicrosPerEvent: number;
}

/** What a process of consumers is to do. */
export interface ConsumePlan {
  readonly url: string;
  readonly subscription: string;
  readonly consumers: number;
  readonly fetchMax: number;
  /** That are there, at positions from 1 on. It is over when each has been acknowledged. */
  readonly events: number;
}

/** It prints one at the end. */
export interface ConsumeResult {
  readonly events: number;
  readonly seconds: number;
  readonly fetchMs: LatencySummary;
  readonly ackMs: LatencySummary;
  readonly cpuMicrosPerEvent: number;
}
