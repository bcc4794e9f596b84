/** Lets so many work at one time. Who waits is served in turn, or gives up. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns whether it got one, which is to be given back; false when the signal was aborted before it was its turn */
  async take(signal: AbortSignal): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const begin = () => resolve(true);
    const giveUp = () => {
      this.#waiting.delete(begin);
      resolve(false);
    };
    this.#waiting.add(begin);
    signal.addEventListener('abort', giveUp, { once: true });
    const isMine = await promise;
    signal.removeEventListener('abort', giveUp);
    return isMine;
  }

  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
