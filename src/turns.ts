/** Lets so many work at one time. Who waits is served in turn, or gives up. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for one, and takes more if they are free and nobody else waits.
   *
   * @returns how many it got, from 1 to `max`, which are to be given back; 0 when the signal was aborted before it was its turn
   */
  async take(max = 1, signal?: AbortSignal): Promise<number> {
    if (this.#free > 0) this.#free--;
    else if (!(await this.#wait(signal))) return 0;
    const more = this.#waiting.size > 0 ? 0 : Math.min(max - 1, this.#free);
    this.#free -= more;
    return 1 + more;
  }

  give(count = 1): void {
    for (let n = 0; n < count; n++) {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else {
        this.#waiting.delete(next);
        next();
      }
    }
  }

  /** @returns whether it got one */
  async #wait(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const begin = () => resolve(true);
    const giveUp = () => {
      this.#waiting.delete(begin);
      resolve(false);
    };
    this.#waiting.add(begin);
    signal?.addEventListener('abort', giveUp, { once: true });
    const isMine = await promise;
    signal?.removeEventListener('abort', giveUp);
    return isMine;
  }
}
