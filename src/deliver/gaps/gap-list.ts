import type { Instant } from '../../instant.ts';

/** Numbers that follow one another and were not seen. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** Of the event that showed it: the first that came from beyond, and when that was stored. */
  readonly position: number;
  readonly processed_at: Instant;
}

/** The gaps of one run, in the order of their numbers; no two touch. */
export class GapList {
  readonly #gaps: Gap[] = [];

  get length(): number {
    return this.#gaps.length;
  }

  /** Numbers in all of them. */
  get numbers(): number {
    return this.#gaps.reduce((sum, gap) => sum + widthOf(gap), 0);
  }

  has(number: number): boolean {
    const gap = this.#gaps[this.#at(number)];
    return gap !== undefined && gap.from <= number;
  }

  /** Adds one above all others. */
  push(gap: Gap): void {
    this.#gaps.push(gap);
  }

  /** Adds one below all others. */
  unshift(gap: Gap): void {
    this.#gaps.unshift(gap);
  }

  /** Takes the lowest away. */
  shift(): Gap | undefined {
    return this.#gaps.shift();
  }

  /** Closes the gap that a number is in, or parts it in two. @returns whether it was in one */
  close(number: number): boolean {
    const at = this.#at(number);
    const gap = this.#gaps[at];
    if (gap === undefined || gap.from > number) return false;
    const left = [
      { ...gap, to: number - 1 },
      { ...gap, from: number + 1 },
    ].filter(({ from, to }) => from <= to);
    this.#gaps.splice(at, 1, ...left);
    return true;
  }

  [Symbol.iterator](): Iterator<Gap> {
    return this.#gaps.values();
  }

  /** The first that ends at the number or above it. */
  #at(number: number): number {
    let low = 0;
    let high = this.#gaps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#gaps[middle]!.to < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function widthOf({ from, to }: Gap): number {
  return to - from + 1;
}
