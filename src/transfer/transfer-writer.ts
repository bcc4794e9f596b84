import { createHash } from 'node:crypto';
import type { Conflict } from '../store/store.ts';
import * as lines from './print-records.ts';
import {
  noCounts,
  type TransferCounts,
  type TransferDeadLetter,
  type TransferEvent,
  type TransferHeader,
  type TransferKey,
  type TransferTopic,
} from './records.ts';

/** Characters that are collected before they are written. */
const CHUNK_LENGTH = 256 * 1024;

/** What a store is exported to. Records are collected without a wait; `drain` is called now and then, and waits. */
export class TransferWriter {
  readonly counts: TransferCounts = noCounts();
  bytes = 0;
  readonly #write: (chunk: Uint8Array) => Promise<void>;
  readonly #onProgress: (done: number, total: number) => void;
  readonly #hash = createHash('sha256');
  #lastPosition = 0;
  #text = '';

  /** @param onProgress is told of positions */
  constructor(
    write: (chunk: Uint8Array) => Promise<void>,
    onProgress: (done: number, total: number) => void = () => {},
  ) {
    this.#write = write;
    this.#onProgress = onProgress;
  }

  header(header: TransferHeader): void {
    this.#lastPosition = header.lastPosition;
    this.#line(lines.printHeader(header));
  }

  topic(topic: TransferTopic): void {
    this.counts.topics++;
    this.#line(lines.printTopic(topic));
  }

  event(event: TransferEvent): void {
    this.counts.events++;
    this.#line(lines.printEvent(event));
  }

  key(key: TransferKey): void {
    this.counts.keys++;
    this.#line(lines.printKey(key));
  }

  conflict(conflict: Conflict): void {
    this.counts.conflicts++;
    this.#line(lines.printConflict(conflict));
  }

  deadLetter(letter: TransferDeadLetter): void {
    this.counts.dead_letters++;
    this.#line(lines.printDeadLetter(letter));
  }

  /** Writes what has been collected, once it is worth it. */
  async drain(): Promise<void> {
    if (this.#text.length >= CHUNK_LENGTH) await this.#flush();
  }

  /** Writes the last line. What has none is refused by whoever reads it. */
  async end(): Promise<void> {
    await this.#flush();
    this.#line(lines.printEnd(this.counts, this.#hash.digest('hex')));
    await this.#put();
  }

  async #flush(): Promise<void> {
    this.#hash.update(this.#text);
    await this.#put();
    this.#onProgress(this.counts.events + this.counts.keys, Math.max(1, this.#lastPosition));
  }

  async #put(): Promise<void> {
    const chunk = Buffer.from(this.#text);
    this.#text = '';
    this.bytes += chunk.length;
    await this.#write(chunk);
  }

  #line(line: string): void {
    this.#text += `${line}\n`;
  }
}
