import type { Instant } from '../../instant.ts';
import type { SequencedEvent } from '../../store/store.ts';
import { type Gap, GapList, widthOf } from './gap-list.ts';

/** How far below the highest number of a run a number may lie that is the lowest of it so far; further below it is a restart. */
export const REORDER_MAX = 1000;

/** Gaps that are kept of the run under way; beyond them the lowest is forgotten. */
export const GAPS_KEPT = 10_000;

/** Gaps that are kept of earlier runs, all of them together; beyond them the oldest is forgotten. */
export const EARLIER_GAPS_KEPT = 1000;

/** Restarts that are listed: the newest. All are counted. */
export const RESTARTS_KEPT = 100;

export type Arrival = Pick<SequencedEvent, 'position' | 'sequence' | 'processed_at'>;

/** Where a publisher began to count anew. */
export interface Restart {
  /** The number that the new run begins with. */
  readonly sequence: number;
  /** The highest number of the run before. */
  readonly after: number;
  readonly position: number;
  readonly processed_at: Instant;
}

/** Numbers from `first` to `highest`, all of them seen but for those in gaps. */
interface Run {
  first: number;
  highest: number;
  readonly gaps: GapList;
}

/**
 * What the numbers of one publisher (a source of a topic) tell, in the order in which its events were stored. A publisher counts
 * upwards by one; each of its starts that does not go on counting begins a *run*.
 *
 * An arrival
 * - above the highest number of the run raises it, and what lies between is a gap;
 * - in a gap of the run closes it, or parts it in two: it is out of order;
 * - in a gap of an earlier run, else, closes that: it is out of order;
 * - below the first number of the run, and at most {@link REORDER_MAX} below the highest, lowers the first: it is out of order, and
 *   what lies between is a gap;
 * - is else a number that the run has had, or is far below it: a restart.
 *
 * So of the numbers of a run that lie between two that were seen none is lost from view, in whatever order they come. What the rules
 * cannot know: a run that begins anew above the highest number leaves a gap, and one that begins anew in a gap closes it for a while.
 */
export class PublisherSequence {
  readonly firstPosition: number;
  lastPosition: number;
  /** Events with a sequence. */
  events = 0;
  outOfOrder = 0;
  restartCount = 0;
  /** Numbers of gaps that are not kept any more. One of them that comes late is taken for a restart. */
  forgotten = 0;
  /** The newest, in their order. */
  readonly restarts: Restart[] = [];
  /** By run, then by number. */
  readonly #earlier: GapList[] = [];
  #earlierCount = 0;
  #run: Run;

  /** Of a publisher whose first event this is; it is to be taken like all others. */
  constructor({ position, sequence }: Arrival) {
    this.firstPosition = position;
    this.lastPosition = position;
    this.#run = { first: sequence, highest: sequence - 1, gaps: new GapList() };
  }

  /** Lowest and highest number of the run under way. */
  get first(): number {
    return this.#run.first;
  }

  get highest(): number {
    return this.#run.highest;
  }

  /** Gaps that are kept, of all runs. */
  get gapCount(): number {
    return this.#earlierCount + this.#run.gaps.length;
  }

  /** Numbers in them; at most 2^53 - 1 is told. */
  get missing(): number {
    const numbers = this.gaps().reduce((sum, gap) => sum + widthOf(gap), 0);
    return Math.min(numbers, Number.MAX_SAFE_INTEGER);
  }

  /** By run, then by number. */
  gaps(): Gap[] {
    return [...this.#earlier, this.#run.gaps].flatMap((gaps) => [...gaps]);
  }

  take(arrival: Arrival): void {
    this.events++;
    this.lastPosition = arrival.position;
    const { sequence } = arrival;
    if (sequence > this.#run.highest) this.#raise(arrival);
    else if (this.#run.gaps.close(sequence) || this.#closeEarlier(sequence)) this.outOfOrder++;
    else if (sequence < this.#run.first && this.#run.highest - sequence <= REORDER_MAX) this.#lower(arrival);
    else this.#restart(arrival);
    if (this.#run.gaps.length > GAPS_KEPT) this.#forget(this.#run.gaps);
  }

  #raise(arrival: Arrival): void {
    const { highest, gaps } = this.#run;
    if (arrival.sequence > highest + 1) gaps.push(gapOf(highest + 1, arrival.sequence - 1, arrival));
    this.#run.highest = arrival.sequence;
  }

  #lower(arrival: Arrival): void {
    const { first, gaps } = this.#run;
    if (arrival.sequence < first - 1) gaps.unshift(gapOf(arrival.sequence + 1, first - 1, arrival));
    this.#run.first = arrival.sequence;
    this.outOfOrder++;
  }

  #restart({ sequence, position, processed_at }: Arrival): void {
    const { highest, gaps } = this.#run;
    this.restartCount++;
    this.restarts.push({ sequence, after: highest, position, processed_at });
    if (this.restarts.length > RESTARTS_KEPT) this.restarts.shift();
    this.#keep(gaps);
    this.#run = { first: sequence, highest: sequence, gaps: new GapList() };
  }

  /** The gaps of a run that is over. */
  #keep(gaps: GapList): void {
    if (gaps.length === 0) return;
    this.#earlier.push(gaps);
    this.#earlierCount += gaps.length;
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    while (this.#earlierCount > EARLIER_GAPS_KEPT) {
      const oldest = this.#earlier[0]!;
      this.#forget(oldest);
      this.#earlierCount--;
      if (oldest.length === 0) this.#earlier.shift();
    }
  }

  /** Of the runs that miss the number, in the newest. */
  #closeEarlier(sequence: number): boolean {
    const at = this.#earlier.findLastIndex((gaps) => {
      const before = gaps.length;
      const isClosed = gaps.close(sequence);
      this.#earlierCount += gaps.length - before;
      return isClosed;
    });
    if (at < 0) return false;
    if (this.#earlier[at]!.length === 0) this.#earlier.splice(at, 1);
    this.#forgetOldest(); // of one gap it may have made two
    return true;
  }

  #forget(gaps: GapList): void {
    const gap = gaps.shift();
    if (gap !== undefined) this.forgotten += widthOf(gap);
  }
}

function gapOf(from: number, to: number, { position, processed_at }: Arrival): Gap {
  return { from, to, position, processed_at };
}
