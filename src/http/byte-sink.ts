/**
 * Collects chunks into one array of its own, which can be handed to another thread. The array doubles as it grows, and
 * what is reserved is the array, not the bytes in it: memory that is waiting to be filled is taken all the same.
 */
export class ByteSink {
  #array: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #bytesMax: number;
  readonly #reserve: (bytes: number) => void;

  /**
   * @param expected bytes that are reserved already
   * @param bytesMax the array never has more
   * @param reserve called with the size of the array before it grows, or with a length above `bytesMax`; may throw
   */
  constructor(expected: number, bytesMax: number, reserve: (bytes: number) => void) {
    this.#array = new Uint8Array(expected);
    this.#bytesMax = bytesMax;
    this.#reserve = reserve;
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#array.length) this.#grow(length);
    this.#array.set(chunk, this.#length);
    this.#length = length;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#array.subarray(0, this.#length);
  }

  /** Frees the memory now, rather than when the garbage collector comes by. */
  discard(): void {
    this.#array.buffer.transfer(0);
  }

  #grow(length: number): void {
    const size = Math.max(length, Math.min(2 * this.#array.length, this.#bytesMax));
    this.#reserve(size);
    // Moved, not copied to a second one: what is left for the garbage collector would be as much again.
    this.#array = new Uint8Array(this.#array.buffer.transfer(size));
  }
}
