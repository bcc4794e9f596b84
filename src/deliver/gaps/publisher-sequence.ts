import { Course, GAPS_KEPT, RESTARTS_KEPT, type Restart } from './course.ts';
import type { Gap } from './gap-list.ts';
import type { Arrival } from './run.ts';

/** Events after which a restart is no longer in doubt: as many as a request holds, so that one sent again is seen through. */
export const DOUBTFUL_EVENTS_MAX = GAPS_KEPT;

/** Restarts that are in doubt at one time. */
export const DOUBTFUL_RESTARTS_MAX = 16;

/**
 * What the numbers of one publisher (a source of a topic) tell, in the order in which its events were stored. A publisher counts
 * upwards by one; each of its starts that does not go on counting begins a *run*.
 *
 * An arrival
 * - above the highest number of the run raises it, and what lies between is a gap;
 * - in a gap of the run closes it, or parts it in two: it is out of order;
 * - in a gap of an earlier run, else, closes that: it is out of order;
 * - below the first number of the run, and at most REORDER_MAX below the highest, lowers the first: it is out of order, and what lies
 *   between is a gap;
 * - is else the highest number of the run: it is repeated;
 * - is else a number that the run has had, or is far below it: a restart.
 *
 * A restart is *in doubt* at first: one number that comes twice, or far too late, looks the same. A publisher that has begun anew counts
 * on from there; one that has repeated itself goes on where it was. So the run before stays open, until a number arrives that
 * - is above its highest: the run before is taken up again, with that number. What came since were repeats, and no restart; those that
 *   the run before lacked are out of order, and close its gaps;
 * - is its highest: the same, unless the new run has gone through all of the one before, with more numbers than it lacks;
 * - is the last of {@link DOUBTFUL_EVENTS_MAX} since: it was a restart.
 * A restart in doubt may have another one after it.
 *
 * So of the numbers of a run that lie between two that were seen none is lost from view, in whatever order they come. What the rules
 * cannot know: a run that begins anew above the highest number leaves a gap, one that begins anew in a gap closes it for a while, and
 * one that loses the numbers around the highest of the run before is taken for its repeat.
 */
export class PublisherSequence {
  readonly firstPosition: number;
  lastPosition: number;
  /** Events with a sequence. */
  events = 0;
  /** The first is certain; each of the others began with a restart in doubt, and its highest number is below that of the one before. */
  readonly #courses: [Course, ...Course[]];

  /** Of a publisher whose first event this is; it is not to be taken again. */
  constructor({ position, sequence }: Arrival) {
    this.firstPosition = position;
    this.lastPosition = position;
    this.events = 1;
    this.#courses = [new Course(sequence)];
  }

  /** Lowest and highest number of the run under way. */
  get first(): number {
    return this.#underWay.first;
  }

  get highest(): number {
    return this.#underWay.highest;
  }

  get outOfOrder(): number {
    return this.#sum(({ outOfOrder }) => outOfOrder);
  }

  /** Events whose number had been before, or came far too late, before the publisher went on. */
  get repeated(): number {
    return this.#sum(({ repeated }) => repeated);
  }

  get restartCount(): number {
    return this.#sum(({ restartCount }) => restartCount);
  }

  /** The newest, in their order. */
  get restarts(): readonly Restart[] {
    return this.#courses.flatMap(({ restarts }) => restarts).slice(-RESTARTS_KEPT);
  }

  /** Numbers of gaps that are not kept any more, at most 2^53 - 1. One of them that comes late is taken for a restart in doubt. */
  get forgotten(): number {
    return this.#courses[0].forgotten;
  }

  /** Gaps that are kept, of all runs. */
  get gapCount(): number {
    return this.#sum(({ gapCount }) => gapCount);
  }

  /** Numbers in them; at most 2^53 - 1 is told. */
  get missing(): number {
    const numbers = this.gaps().reduce((sum, { from, to }) => sum + to - from + 1, 0);
    return Math.min(numbers, Number.MAX_SAFE_INTEGER);
  }

  /** Memory that it takes, in gaps. */
  get weight(): number {
    return this.#sum(({ weight }) => weight);
  }

  /** By run, then by number. */
  gaps(): Gap[] {
    return this.#courses.flatMap((course) => course.gaps());
  }

  take(arrival: Arrival): void {
    this.events++;
    this.lastPosition = arrival.position;
    this.#endDoubts(arrival.sequence);
    const taker = this.#place(arrival);
    taker.events++;
    for (const course of this.#courses) {
      if (course === taker) break;
      course.note(arrival.sequence);
    }
    this.#bound();
  }

  get #underWay(): Course {
    return this.#courses.at(-1)!;
  }

  /** A number that an open run has not reached ends the doubt about what came after that. */
  #endDoubts(sequence: number): void {
    for (;;) {
      const before = this.#courses.at(-2);
      if (before === undefined || sequence < before.highest) return;
      const since = this.#courses.pop()!;
      if (sequence === before.highest && since.covers(before)) before.followWith(since);
      else before.takeUp(since);
    }
  }

  /** @returns what has taken it */
  #place(arrival: Arrival): Course {
    const { sequence } = arrival;
    const underWay = this.#underWay;
    if (underWay.raise(arrival)) return underWay;
    const closed = this.#courses.findLast((course) => course.close(sequence));
    if (closed !== undefined) return closed;
    if (underWay.lower(arrival)) return underWay;
    if (sequence < underWay.highest) return this.#restart(arrival);
    underWay.repeated++;
    return underWay;
  }

  #restart({ sequence, position, processed_at }: Arrival): Course {
    const restart = { sequence, after: this.highest, position, processed_at };
    const course = new Course(sequence, restart);
    this.#courses.push(course);
    return course;
  }

  #bound(): void {
    const [certain] = this.#courses;
    while (this.#courses.length > DOUBTFUL_RESTARTS_MAX + 1 || this.#doubtfulEvents() > DOUBTFUL_EVENTS_MAX) {
      const [since] = this.#courses.splice(1, 1);
      certain.followWith(since!);
    }
    certain.bound();
  }

  #doubtfulEvents(): number {
    return this.#sum(({ events }) => events) - this.#courses[0].events;
  }

  #sum(count: (course: Course) => number): number {
    return this.#courses.reduce((sum, course) => sum + count(course), 0);
  }
}
