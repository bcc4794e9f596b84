import { positionAt, windowClassAt } from './entry.ts';

/** A position for each of some window classes. */
export type ClassPositions = readonly (readonly [windowClass: number, position: number])[];

/**
 * What the dedup window no longer covers: of each window class, the position before which its entries can be forgotten. A
 * class that is not named is kept; class 0 always is.
 */
export type ForgetBefore = ClassPositions;

/** Answers for an entry where it lies, at the cost of a comparison when its class is 0. */
export class Forgetter {
  readonly #before: Float64Array;

  constructor(forgetBefore: ForgetBefore) {
    this.#before = new Float64Array(Math.max(0, ...forgetBefore.map(([windowClass]) => windowClass)) + 1);
    for (const [windowClass, position] of forgetBefore) this.#before[windowClass] = position;
    this.#before[0] = 0;
  }

  forgets(words: Int32Array, at: number): boolean {
    const windowClass = windowClassAt(words, at);
    return windowClass !== 0 && positionAt(words, at) < this.before(windowClass);
  }

  before(windowClass: number): number {
    return this.#before[windowClass] ?? 0;
  }
}
