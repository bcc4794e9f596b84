import { positionAt, windowClassAt } from './entry.ts';
import type { ClassPositions } from './forget.ts';

/** The newest position of each window class that was seen. */
export class ClassTable {
  #newest: Float64Array | undefined;
  #newestOfZero = 0;

  see(words: Int32Array, at: number): void {
    const windowClass = windowClassAt(words, at);
    const position = positionAt(words, at);
    if (windowClass === 0) {
      if (position > this.#newestOfZero) this.#newestOfZero = position;
      return;
    }
    this.#newest ??= new Float64Array(2 ** 16);
    if (position > this.#newest[windowClass]!) this.#newest[windowClass] = position;
  }

  newest(): ClassPositions {
    const classes: [number, number][] = this.#newestOfZero > 0 ? [[0, this.#newestOfZero]] : [];
    this.#newest?.forEach((position, windowClass) => {
      if (position > 0) classes.push([windowClass, position]);
    });
    return classes;
  }
}
