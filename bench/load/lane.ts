import type { EventNumbers } from './numbers.ts';
import type { LoadPlan } from './plan.ts';

/** What an answer says of the events of its request. */
export interface Tally {
  readonly processed: number;
  readonly duplicates: number;
  /** Those of which the answer says only that they are taken. */
  readonly queued?: number;
  /** Times that the server would not take the batch yet. */
  readonly refusals?: number;
}

/**
 * One way to the server, with one batch under way at most, whatever the protocol. A lane checks each answer: that it is no
 * refusal, and that it accounts for each event of its batch.
 */
export interface Lane {
  /** Sends a batch of the next numbers; `onAnswer` is called when the last byte of its acknowledgement is there. */
  send(numbers: EventNumbers, onAnswer: (tally: Tally) => void): void;
  close(): void;
}

/** @param onError told of whatever goes wrong once the lane is open */
export type OpenLane = (plan: LoadPlan, onError: (error: Error) => void) => Promise<Lane>;
