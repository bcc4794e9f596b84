import type { RequestBounds, Spool, SpoolPage } from './spool.ts';

/** Events that wait in memory, first in, first out. What was read is no longer in it: it makes room for others. */
export class MemorySpool implements Spool {
  readonly isDurable = false;
  readonly #bufferBytes: number;
  readonly #encoder = new TextEncoder();
  #texts: { text: string; bytes: number }[] = [];
  #bytes = 0;
  #room = Promise.withResolvers<void>();

  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  get isEmpty(): boolean {
    return this.#texts.length === 0;
  }

  isFull({ eventsMax, bytesMax }: RequestBounds): boolean {
    return this.#texts.length >= eventsMax || this.#bytes >= bytesMax;
  }

  async append(text: string): Promise<void> {
    while (this.#bytes >= this.#bufferBytes) await this.#room.promise;
    const bytes = this.#encoder.encode(text).length + 1;
    this.#texts.push({ text, bytes });
    this.#bytes += bytes;
  }

  async read(bounds: RequestBounds): Promise<SpoolPage> {
    const count = countOf(this.#texts, bounds);
    const page = this.#texts.splice(0, count);
    for (const { bytes } of page) this.#bytes -= bytes;
    return { texts: page.map(({ text }) => text), damages: [] };
  }

  async settle(): Promise<void> {
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  async close(): Promise<void> {}
}

/** How many of these go into one request: one at least. */
export function countOf(
  waiting: readonly { readonly bytes: number }[],
  { eventsMax, bytesMax }: RequestBounds,
): number {
  let count = 0;
  let sum = 0;
  for (const { bytes } of waiting) {
    if (count > 0 && (count >= eventsMax || sum + bytes > bytesMax)) break;
    sum += bytes;
    count++;
  }
  return count;
}
