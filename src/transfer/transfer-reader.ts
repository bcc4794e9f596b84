import { createHash } from 'node:crypto';
import { SekaliError } from '../errors.ts';
import { LineFault } from './read-members.ts';
import { type Record, readHeader, readRecord } from './read-records.ts';
import { noCounts, type TransferCounts, type TransferHeader } from './records.ts';
import { LineTooLong, splitLines } from './split-lines.ts';

/** What a store is imported into. What it throws as a LineFault is told with its line. */
export interface TransferTarget {
  header(header: TransferHeader): Promise<void>;
  /** @returns something to wait for before the next record, now and then */
  take(record: Exclude<Record, { kind: 'end' }>): Promise<void> | undefined;
  /** All lines have been read, and are what was written: only now may anything of it become visible. */
  end(counts: TransferCounts): Promise<void>;
}

const PLURALS = {
  topic: 'topics',
  subscription: 'subscriptions',
  delivery: 'deliveries',
  event: 'events',
  key: 'keys',
  conflict: 'conflicts',
  dead_letter: 'dead_letters',
} as const;

/** Reads a transfer into a target; `name` is of the file, for messages. */
export class TransferReader {
  readonly #name: string;
  readonly #target: TransferTarget;
  readonly #onProgress: (done: number, total: number) => void;
  readonly #hash = createHash('sha256');
  readonly #counts = noCounts();
  #header: TransferHeader | undefined;
  #line = 0;
  #hasEnded = false;

  constructor(
    name: string,
    target: TransferTarget,
    onProgress: (done: number, total: number) => void = () => {},
  ) {
    this.#name = name;
    this.#target = target;
    this.#onProgress = onProgress;
  }

  /** @throws SekaliError `store_damaged`: it is not what an export has written */
  async read(chunks: AsyncIterable<Uint8Array>): Promise<TransferCounts> {
    try {
      for await (const lines of splitLines(chunks)) {
        for (const { bytes, isWhole } of lines) {
          this.#line++;
          if (!isWhole) throw new LineFault('the file is cut short here');
          const busy = this.#take(bytes);
          if (busy !== undefined) await busy;
        }
        this.#onProgress(
          this.#counts.events + this.#counts.keys,
          Math.max(1, this.#header?.lastPosition ?? 1),
        );
      }
      if (!this.#hasEnded) {
        throw new LineFault(
          this.#line === 0 ? 'there is no line' : 'the file is cut short behind it: it has no last line',
        );
      }
      await this.#target.end(this.#counts);
    } catch (error) {
      throw this.#placed(error);
    }
    return this.#counts;
  }

  #take(bytes: Buffer): Promise<void> | undefined {
    if (this.#header === undefined) {
      this.#header = readHeader(bytes);
      this.#sum(bytes);
      return this.#target.header(this.#header);
    }
    if (this.#hasEnded) throw new LineFault('there is a line behind the last one');
    const record = readRecord(bytes);
    if (record.kind === 'end') {
      this.#end(record);
      return undefined;
    }
    this.#sum(bytes);
    this.#counts[PLURALS[record.kind]]++;
    return this.#target.take(record);
  }

  #end({ counts, sha256 }: Extract<Record, { kind: 'end' }>): void {
    for (const [name, count] of Object.entries(this.#counts)) {
      const written = counts[name as keyof TransferCounts];
      if (written !== count) throw new LineFault(`${written} ${name} were written, and ${count} are there`);
    }
    if (this.#hash.digest('hex') !== sha256)
      throw new LineFault('the checksum of all lines before does not hold');
    this.#hasEnded = true;
  }

  #sum(bytes: Buffer): void {
    this.#hash.update(bytes).update('\n');
  }

  #placed(error: unknown): unknown {
    if (error instanceof LineFault || error instanceof LineTooLong) {
      const what = error instanceof LineTooLong ? 'a line is longer than any of an export' : error.message;
      return new SekaliError(
        'store_damaged',
        `${this.#name}, line ${this.#line}: ${what}; nothing was imported`,
      );
    }
    return error;
  }
}
