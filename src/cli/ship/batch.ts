import type { LineEvent } from './line-event.ts';
import type { Place } from './ship-report.ts';

/** A batch goes to the server as soon as it reaches one of them. */
export interface BatchLimits {
  readonly lines: number;
  readonly bytes: number;
}

/** An event on its way to the server, with the place of its line. */
export interface Entry extends Place, LineEvent {}

/** Events that go to the server in one request, in the order of their lines. */
export class Batch {
  readonly #limits: BatchLimits;
  #entries: Entry[] = [];
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#limits.lines || this.#bytes >= this.#limits.bytes;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += Buffer.byteLength(entry.json);
  }

  /** Empties the batch. */
  take(): Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    return entries;
  }
}
