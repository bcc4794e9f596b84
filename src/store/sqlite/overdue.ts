import type { Retention } from '../../topic-rules.ts';
import type { Block } from './block.ts';

/**
 * What of one topic is over its limits, taken event by event, the oldest first, until one is met that may stay: with that
 * the topic is closed, and all that is newer stays too.
 */
export class Overdue {
  readonly topicId: number;
  isOpen = true;
  /** Taken so far. */
  retired = 0;
  retiredBytes = 0;
  /** Position after the last event that was taken. */
  retiredBefore = 0;
  /** The last block that events were taken from, and what is left of the topic in it. */
  lastBlock = 0;
  left = { events: 0, bytes: 0 };
  /** Before this, events are too old. */
  readonly #storedBefore: number;
  #tooMany: number;
  #tooMuch: number;

  /** @param live what the topic has, in events and in bytes of their records */
  constructor(
    topicId: number,
    { ageS, bytes, count }: Retention,
    live: { readonly events: number; readonly bytes: number },
    nowUs: number,
  ) {
    this.topicId = topicId;
    this.#storedBefore = ageS === undefined ? Number.NEGATIVE_INFINITY : nowUs - ageS * 1e6;
    this.#tooMany = count === undefined ? 0 : live.events - count;
    this.#tooMuch = bytes === undefined ? 0 : live.bytes - bytes;
  }

  /** @param storedAt when the oldest event was stored */
  isOver(storedAt: number): boolean {
    return this.#tooMany > 0 || this.#tooMuch > 0 || storedAt < this.#storedBefore;
  }

  /** Takes event `n` of a block, the oldest one left, if it is over. Those of one block in a row, the blocks in their order. */
  take(block: Block, n: number, storedAt: number): boolean {
    if (this.isOpen && !this.isOver(storedAt)) this.isOpen = false;
    const bytes = block.recordBytes(n);
    if (!this.isOpen) {
      if (block.firstPosition === this.lastBlock) {
        this.left.events++;
        this.left.bytes += bytes;
      }
      return false;
    }
    this.lastBlock = block.firstPosition;
    this.retired++;
    this.retiredBytes += bytes;
    this.retiredBefore = block.position(n) + 1;
    this.#tooMany--;
    this.#tooMuch -= bytes;
    return true;
  }
}
