import type { Instant } from '../../instant.ts';
import { type Gap, type GapList, widthOf } from './gap-list.ts';
import { type Arrival, Run } from './run.ts';

/** Gaps that are kept of the run under way; beyond them the lowest is forgotten. */
export const GAPS_KEPT = 10_000;

/** Gaps that are kept of earlier runs, all of them together; beyond them the oldest is forgotten. */
export const EARLIER_GAPS_KEPT = 1000;

/** Restarts that are listed: the newest. All are counted. */
export const RESTARTS_KEPT = 100;

/** Numbers that take as much memory as one gap. */
const NUMBERS_PER_GAP = 12;

/** Where a publisher began to count anew. */
export interface Restart {
  /** The number that the new run begins with. */
  readonly sequence: number;
  /** The highest number of the run before. */
  readonly after: number;
  readonly position: number;
  readonly processed_at: Instant;
}

/** Runs that have followed one another: the last is under way, of the others the gaps are kept. */
export class Course {
  /** Taken by it, those included that it was told of when it was taken up again. */
  events = 0;
  outOfOrder = 0;
  repeated = 0;
  restartCount = 0;
  /** Numbers of gaps that are not kept any more. */
  forgotten = 0;
  /** The newest, in their order. */
  restarts: Restart[] = [];
  /** By run, then by number. */
  readonly #earlier: GapList[] = [];
  #earlierCount = 0;
  #run: Run;
  /** Numbers in its gaps that a later course has taken. */
  #takenElsewhere: number[] = [];

  /** @param restart how it began, unless it is the first of a publisher */
  constructor(first: number, restart?: Restart) {
    this.#run = new Run(first);
    if (restart === undefined) return;
    this.restarts.push(restart);
    this.restartCount = 1;
  }

  get first(): number {
    return this.#run.first;
  }

  get highest(): number {
    return this.#run.highest;
  }

  get gapCount(): number {
    return this.#earlierCount + this.#run.gaps.length;
  }

  /** Memory that it takes, in gaps. */
  get weight(): number {
    return this.gapCount + this.restarts.length + Math.ceil(this.#takenElsewhere.length / NUMBERS_PER_GAP);
  }

  /** By run, then by number. */
  gaps(): Gap[] {
    return [...this.#earlier, this.#run.gaps].flatMap((gaps) => [...gaps]);
  }

  raise(arrival: Arrival): boolean {
    return this.#run.raise(arrival);
  }

  lower(arrival: Arrival): boolean {
    const isLower = this.#run.lower(arrival);
    if (isLower) this.outOfOrder++;
    return isLower;
  }

  /** Closes the gap that a number is in: one of the run under way, or else of the newest run that lacks it. */
  close(sequence: number): boolean {
    const isClosed = this.#run.gaps.close(sequence) || this.#closeEarlier(sequence);
    if (isClosed) this.outOfOrder++;
    return isClosed;
  }

  /** Tells it of a number that a later course has taken. */
  note(sequence: number): void {
    if (this.#run.gaps.has(sequence)) this.#takenElsewhere.push(sequence);
  }

  /** Whether this is no repeat of what was before, whose highest number it is about to take. */
  covers(before: Course): boolean {
    return this.#run.covers(before.#run);
  }

  /** What came since were repeats, but for what had been missing. */
  takeUp(since: Course): void {
    const late = this.#takenElsewhere.filter((sequence) => this.close(sequence)).length;
    this.#takenElsewhere = [];
    this.events += since.events;
    this.repeated += since.events - late;
  }

  /** What came since were restarts. */
  followWith(since: Course): void {
    this.#keep(this.#run.gaps);
    for (const gaps of since.#earlier) this.#keep(gaps);
    this.#run = since.#run;
    this.#takenElsewhere = [];
    this.events += since.events;
    this.outOfOrder += since.outOfOrder;
    this.repeated += since.repeated;
    this.restartCount += since.restartCount;
    this.restarts = [...this.restarts, ...since.restarts].slice(-RESTARTS_KEPT);
  }

  /** Forgets gaps beyond those that are kept. */
  bound(): void {
    if (this.#run.gaps.length > GAPS_KEPT) this.#forgetFirst(this.#run.gaps);
    while (this.#earlierCount > EARLIER_GAPS_KEPT) {
      const oldest = this.#earlier[0]!;
      this.#forgetFirst(oldest);
      this.#earlierCount--;
      if (oldest.length === 0) this.#earlier.shift();
    }
  }

  #keep(gaps: GapList): void {
    if (gaps.length === 0) return;
    this.#earlier.push(gaps);
    this.#earlierCount += gaps.length;
  }

  #closeEarlier(sequence: number): boolean {
    const at = this.#earlier.findLastIndex((gaps) => {
      const before = gaps.length;
      const isClosed = gaps.close(sequence);
      this.#earlierCount += gaps.length - before;
      return isClosed;
    });
    if (this.#earlier[at]?.length === 0) this.#earlier.splice(at, 1);
    return at >= 0;
  }

  #forgetFirst(gaps: GapList): void {
    const gap = gaps.shift();
    if (gap !== undefined) this.forgotten = Math.min(this.forgotten + widthOf(gap), Number.MAX_SAFE_INTEGER);
  }
}
