import { EVENTS_MAX, mix } from './event-text.ts';

/** Which events a run sends. */
export interface NumberPlan {
  /** Events to send, repeated ones included. */
  readonly events: number;
  /** Number of the first new event; those below it were sent before. */
  readonly first: number;
  /** Share of the events, 0 to 1, that repeat an earlier one, drawn evenly from all before it, of this run or not. */
  readonly duplicates: number;
  readonly seed: number;
}

/** Gives out the numbers of a run's events, one after the other. */
export class EventNumbers {
  readonly #plan: NumberPlan;
  #given = 0;
  #nextNew: number;
  #draws = 0;

  constructor(plan: NumberPlan) {
    if (plan.first + plan.events > EVENTS_MAX)
      throw new Error(`no more than ${EVENTS_MAX} events have numbers`);
    this.#plan = plan;
    this.#nextNew = plan.first;
  }

  get left(): number {
    return this.#plan.events - this.#given;
  }

  /** New events given out. */
  get fresh(): number {
    return this.#nextNew - this.#plan.first;
  }

  next(): number {
    this.#given++;
    const { duplicates } = this.#plan;
    if (duplicates > 0 && this.#nextNew > 0 && this.#draw() < duplicates) {
      return Math.floor(this.#draw() * this.#nextNew);
    }
    return this.#nextNew++;
  }

  /** A number from 0 to 1. Of 32 bits: enough to reach each of 4 billion events. */
  #draw(): number {
    return mix(++this.#draws + Math.imul(this.#plan.seed, 0x27d4eb2f)) / 2 ** 32;
  }
}
