/** Room for so many requests at one time. Who waits for it is served in turn. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for one, and takes more if they are free. @returns how many, from 1 to `max` */
  async take(max: number): Promise<number> {
    if (this.#free === 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#free--;
    }
    const more = this.#waiting.length > 0 ? 0 : Math.min(max - 1, this.#free);
    this.#free -= more;
    return 1 + more;
  }

  give(count: number): void {
    for (let n = 0; n < count; n++) {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
