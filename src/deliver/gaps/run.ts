import type { SequencedEvent } from '../../store/store-reader.ts';
import { type Gap, GapList } from './gap-list.ts';

/** How far below the highest number of a run a number may lie that is the lowest of it so far; further below it is none of the run. */
export const REORDER_MAX = 1000;

export type Arrival = Pick<SequencedEvent, 'position' | 'sequence' | 'processed_at'>;

/** Numbers from `first` to `highest`, all of them seen but for those in gaps. */
export class Run {
  first: number;
  highest: number;
  readonly gaps = new GapList();

  constructor(first: number) {
    this.first = first;
    this.highest = first;
  }

  /** Takes a number above its highest. @returns whether it is one */
  raise(arrival: Arrival): boolean {
    const { highest, gaps } = this;
    if (arrival.sequence <= highest) return false;
    if (arrival.sequence > highest + 1) gaps.push(gapOf(highest + 1, arrival.sequence - 1, arrival));
    this.highest = arrival.sequence;
    return true;
  }

  /** Takes a number below its first, and near its highest. @returns whether it is one */
  lower(arrival: Arrival): boolean {
    const { first, highest, gaps } = this;
    if (arrival.sequence >= first || highest - arrival.sequence > REORDER_MAX) return false;
    if (arrival.sequence < first - 1) gaps.unshift(gapOf(arrival.sequence + 1, first - 1, arrival));
    this.first = arrival.sequence;
    return true;
  }

  /** Whether it goes through all of another, whose highest number it is about to take, with more numbers than it lacks. */
  covers({ first, highest }: Run): boolean {
    const missing = this.gaps.numbers + (highest - this.highest - 1);
    return this.first <= first && highest - this.first + 1 > 2 * missing;
  }
}

function gapOf(from: number, to: number, { position, processed_at }: Arrival): Gap {
  return { from, to, position, processed_at };
}
