import type { LatencySummary } from './latencies.ts';
import type { NumberPlan } from './numbers.ts';

/** What a load generator is to do, whatever it speaks. */
export interface LoadPlan extends NumberPlan {
  readonly url: string;
  /** Further servers of the same; the connections are dealt out to all in turn. */
  readonly others?: readonly string[] | undefined;
  /** When Sekali is to answer; without it, it is not told. With `queued`, a full queue is waited for, and not an error. */
  readonly ack?: 'stored' | 'queued' | undefined;
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
  /** When the first request was sent, by the clock of the machine. */
  readonly startedAtMs: number;
  /** Events that were new; those that were not repeat one of them, or one from before. */
  readonly fresh: number;
  readonly processed: number;
  readonly duplicates: number;
  /** Events that were answered before the store had them: none of the above says what they were. */
  readonly queued: number;
  /** Times that a request was told to come back, because the queue was full. */
  readonly refusals: number;
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
