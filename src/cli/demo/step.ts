import type { Facts } from './expectation.ts';
import type { Lab } from './lab.ts';

/** One stop of the tour. It needs nothing of the other steps, so they can be taken in any order and again. */
export interface Step {
  readonly title: string;
  /** What is done, and when that happens to a publisher. */
  readonly story: string;
  readonly expected: Facts;
  /** Does it, in the lab's own topic. */
  run(lab: Lab): Promise<Outcome>;
}

export interface Outcome {
  /** What was seen, under the same names as what is expected. */
  readonly seen: Facts;
  /** Worth telling, but not promised: a speed, a duration. */
  readonly note?: string;
}
