export interface LotBounds {
  readonly maxBatch: number;
  readonly maxBytes: number;
  readonly bufferBytes: number;
}

/** JSON texts of events that wait, first in, first out. */
export class Lot {
  readonly #bounds: LotBounds;
  readonly #encoder = new TextEncoder();
  #texts: { text: string; bytes: number }[] = [];
  #bytes = 0;

  constructor(bounds: LotBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#texts.length;
  }

  /** Whether a request could be filled. */
  get isFull(): boolean {
    return this.#texts.length >= this.#bounds.maxBatch || this.#bytes >= this.#bounds.maxBytes;
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#bounds.bufferBytes;
  }

  add(text: string): void {
    const bytes = this.#encoder.encode(text).length + 1;
    this.#texts.push({ text, bytes });
    this.#bytes += bytes;
  }

  /** Takes what goes into one request: one event at least. */
  take(): string[] {
    let count = 0;
    let bytes = 0;
    for (const one of this.#texts) {
      if (count > 0 && (count >= this.#bounds.maxBatch || bytes + one.bytes > this.#bounds.maxBytes)) break;
      bytes += one.bytes;
      count++;
    }
    this.#bytes -= bytes;
    return this.#texts.splice(0, count).map(({ text }) => text);
  }
}
