import { createHash } from 'node:crypto';
import { SekaliError } from '../errors.ts';
import type { Conflict } from '../store/store-reader.ts';
import * as lines from './print-records.ts';
import {
  noCounts,
  type TransferCounts,
  type TransferDeadLetter,
  type TransferDelivery,
  type TransferEvent,
  type TransferHeader,
  type TransferKey,
  type TransferSubscription,
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
  /** What has been collected: long lines as they are, and behind them a text of short ones. */
  #chunks: Uint8Array[] = [];
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

  subscription(subscription: TransferSubscription): void {
    this.counts.subscriptions++;
    this.#line(lines.printSubscription(subscription));
  }

  delivery(delivery: TransferDelivery): void {
    this.counts.deliveries++;
    this.#line(lines.printDelivery(delivery));
  }

  /** @throws SekaliError `event_too_large`: it is too long for a line */
  event(event: TransferEvent): void {
    this.counts.events++;
    this.#line(
      printLong(
        () => lines.printEvent(event),
        () => `the event at position ${event.position}`,
      ),
    );
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
    this.#line(
      printLong(
        () => lines.printDeadLetter(letter),
        () => `the dead letter ${letter.entry}`,
      ),
    );
  }

  /** Writes what has been collected, once it is worth it. */
  async drain(): Promise<void> {
    if (this.#text.length >= CHUNK_LENGTH || this.#chunks.length > 0) await this.#flush();
  }

  /** Writes the last line. What has none is refused by whoever reads it. */
  async end(): Promise<void> {
    await this.#flush();
    this.#line(lines.printEnd(this.counts, this.#hash.digest('hex')));
    for (const chunk of this.#take()) await this.#put(chunk);
  }

  async #flush(): Promise<void> {
    for (const chunk of this.#take()) {
      this.#hash.update(chunk);
      await this.#put(chunk);
    }
    this.#onProgress(this.counts.events + this.counts.keys, Math.max(1, this.#lastPosition));
  }

  async #put(chunk: Uint8Array): Promise<void> {
    this.bytes += chunk.length;
    await this.#write(chunk);
  }

  #take(): Uint8Array[] {
    const chunks = this.#chunks;
    if (this.#text !== '') chunks.push(Buffer.from(this.#text));
    this.#chunks = [];
    this.#text = '';
    return chunks;
  }

  #line(line: string): void {
    if (line.length < CHUNK_LENGTH) this.#text += `${line}\n`;
    // A text together with it may be longer than any can be.
    else this.#chunks = [...this.#take(), Buffer.from(line), Buffer.from('\n')];
  }
}

/** A line is made as one text, which has at most half a gigabyte; a payload whose line breaks are escaped may be longer. */
function printLong(print: () => string, name: () => string): string {
  try {
    return print();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SekaliError(
      'event_too_large',
      `${name()} is too long for a line of an export: ${error.message}`,
    );
  }
}
