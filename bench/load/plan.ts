import type { LatencySummary } from './latencies.ts';
import type { NumberPlan } from './numbers.ts';

/** What a load generator is to do, whatever it speaks. */
export interface LoadPlan extends NumberPlan {
  readonly url: string;
  /** Events a request. */
  readonly batch: number;
  readonly connections: number;
  /** Events a second to keep to; without it, as many as go. */
  readonly rate?: number | undefined;
  /** A line is told each time so many more events have been answered. */
  readonly markEvery?: number | undefined;
}

/** What it prints at the end, as a line of JSON. */
export interface LoadResult {
  readonly events: number;
  readonly seconds: number;
  readonly processed: number;
  readonly duplicates: number;
  readonly bytesPerEvent: number;
  /** From the first byte of a request, or from when it was due at a fixed rate, to the last byte of its answer. */
  readonly ackMs: LatencySummary;
  /** Processor time of the load generator itself. */
  readonly cpuMicrosPerEvent: number;
}

/** What it prints on the way there. */
export interface LoadMark {
  readonly mark: number;
  readonly seconds: number;
}
