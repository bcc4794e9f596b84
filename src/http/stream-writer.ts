import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ticket } from '../ingest/admission.ts';

/** Between two looks whether there is room for what is to be written. */
const ROOM_EVERY_MS = 50;

/**
 * What became of a chunk: `taken` by the client, with room for the next; `stalled`, written, and the client has taken nothing for too
 * long; `refused`, not written, for there was no room for so long; or the client is `gone`.
 */
export type Written = 'taken' | 'stalled' | 'refused' | 'gone';

/**
 * Writes an answer that does not end, to a client that may be slow. What is written stays in memory until the client has taken it, so
 * it is one chunk at a time, which takes its room in the bound of all answers.
 */
export class StreamWriter {
  readonly #response: ServerResponse;
  readonly #ticket: Ticket;
  readonly #stallMs: number;
  #wroteAtMs = performance.now();
  #writing = 0;

  /** @param stallMs how long a client may take for one chunk */
  constructor(response: ServerResponse, ticket: Ticket, stallMs: number) {
    this.#response = response;
    this.#ticket = ticket;
    this.#stallMs = stallMs;
  }

  /** Since something was written last, in milliseconds. */
  get idleMs(): number {
    return performance.now() - this.#wroteAtMs;
  }

  /** A chunk is on its way: the next one may not come yet. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  /**
   * Writes a chunk, and resolves when the next one may come.
   *
   * @param bytesHeld what stays in memory until the client has taken it, where that is more than the chunk
   */
  async write(chunk: Buffer | string, bytesHeld = chunk.length): Promise<Written> {
    this.#writing++;
    try {
      return await this.#write(chunk, bytesHeld);
    } finally {
      this.#writing--;
    }
  }

  async #write(chunk: Buffer | string, bytesHeld: number): Promise<Written> {
    const hasRoom = await this.#room(bytesHeld);
    if (this.#response.destroyed) return 'gone';
    if (!hasRoom) return 'refused';
    this.#wroteAtMs = performance.now();
    return this.#response.write(chunk) ? 'taken' : await this.#drained();
  }

  /** Writes a last chunk and ends; a client that does not take it is cut off. */
  end(chunk: string): void {
    if (this.#response.destroyed) return;
    this.#response.end(chunk);
    const cut = setTimeout(() => this.#response.destroy(), this.#stallMs);
    this.#response.once('close', () => clearTimeout(cut));
  }

  async #room(bytes: number): Promise<boolean> {
    for (const startedMs = performance.now(); !this.#ticket.resize(bytes); ) {
      if (this.#response.destroyed || performance.now() - startedMs > this.#stallMs) return false;
      await pause(ROOM_EVERY_MS);
    }
    return true;
  }

  async #drained(): Promise<Written> {
    const response = this.#response;
    return await new Promise((resolve) => {
      const settle = (written: Written) => {
        clearTimeout(timer);
        response.off('drain', onDrain);
        response.off('close', onClose);
        resolve(written);
      };
      const onDrain = () => settle('taken');
      const onClose = () => settle('gone');
      const timer = setTimeout(() => settle('stalled'), this.#stallMs);
      response.once('drain', onDrain);
      response.once('close', onClose);
    });
  }
}
