import { crc32 } from 'node:zlib';
import { SekaliError } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import {
  EVENT_WORDS,
  type EventPack,
  highOfInstant,
  ID_BYTES,
  joinInstant,
  lowOfInstant,
  RECORD_BYTES,
  SEQUENCE_HIGH,
  SEQUENCE_LOW,
  SOURCE_BYTES,
  TIME_HIGH,
  TIME_LOW,
} from '../event-pack.ts';
import type { EventRecord } from '../page-printer.ts';

/**
 * A block: some consecutive events of one commit group, one row. Written as a whole, read as a whole, checked as a whole.
 *
 * `directory`, little-endian words: a CRC-32 of all that follows and of the records · flags · how many events · the position
 * of the first (high, low) and the time it was stored at (high, low), which are columns too, without a checksum there · for
 * each event {@link ENTRY_WORDS} words (topic number, bytes of its record, bytes of its event_id | bytes of its source << 16,
 * timestamp high, low) · if the flag says so, two words of sequence for each (high -1: none) · if the flag says so, one
 * word for each: how far its position is behind the first. Without it positions follow one another.
 * `records`: event_id, source, payload of each event, back to back, in UTF-8.
 *
 * Why blocks, not a row an event: 824,000 rows a second is what SQLite appends without an index (497,000 with one by topic),
 * and all of what it does for a row is to copy it; a page filled with one row of 56 events costs a twentieth of 56 rows.
 */
export interface BlockColumns {
  readonly directory: Uint8Array;
  readonly records: Uint8Array;
}

export const HEADER_WORDS = 7;
export const ENTRY_WORDS = 5;
export const SEQUENCES = 1;
export const POSITIONS = 2;

/**
 * Bytes of directory and records together that a block may have, but for a single event that is larger: with the rest of
 * its row it just fits into a page of 16 KiB (usable size less 35 bytes: SQLite's file format, section 1.6).
 */
export const BLOCK_BYTES_MAX = 16_384 - 35 - 64;

/** Bytes that an event takes in a block, at most. */
export function blockBytesOf(recordBytes: number): number {
  return recordBytes + (ENTRY_WORDS + 3) * 4;
}

/** Writes the directories of blocks; the memory is used again for the next one. */
export class DirectoryWriter {
  #words = new Int32Array(4096);

  /**
   * The directory of the events of a pack that are listed.
   *
   * @param listed numbers of events in the pack
   * @param topicIds the number in the database of the topic of an event of the pack
   * @param records their records, already put together
   */
  write(
    pack: EventPack,
    listed: Int32Array,
    count: number,
    topicIds: (i: number) => number,
    records: Uint8Array,
    { firstPosition, processedAt }: Pick<Block, 'firstPosition' | 'processedAt'>,
  ): Uint8Array {
    const size = HEADER_WORDS + count * (ENTRY_WORDS + 2);
    if (this.#words.length < size) this.#words = new Int32Array(size * 2);
    const words = this.#words;
    const from = pack.words;
    let sequences = false;
    let to = HEADER_WORDS;
    for (let n = 0; n < count; n++) {
      const i = listed[n]!;
      const at = i * EVENT_WORDS;
      words[to] = topicIds(i);
      words[to + 1] = from[at + RECORD_BYTES]!;
      words[to + 2] = from[at + ID_BYTES]! | (from[at + SOURCE_BYTES]! << 16);
      words[to + 3] = from[at + TIME_HIGH]!;
      words[to + 4] = from[at + TIME_LOW]!;
      to += ENTRY_WORDS;
      if (from[at + SEQUENCE_HIGH]! >= 0) sequences = true;
    }
    if (sequences) {
      for (let n = 0; n < count; n++) {
        const at = listed[n]! * EVENT_WORDS;
        words[to++] = from[at + SEQUENCE_HIGH]!;
        words[to++] = from[at + SEQUENCE_LOW]!;
      }
    }
    words[1] = sequences ? SEQUENCES : 0;
    words[2] = count;
    words[3] = Math.floor(firstPosition / 2 ** 32);
    words[4] = firstPosition | 0;
    words[5] = highOfInstant(processedAt);
    words[6] = lowOfInstant(processedAt);
    return sealed(new Uint8Array(words.buffer, 0, to * 4), records);
  }
}

/** Puts the checksum in front. */
function sealed(directory: Uint8Array, records: Uint8Array): Uint8Array {
  new DataView(directory.buffer, directory.byteOffset).setUint32(0, checksum(directory, records), true);
  return directory;
}

function checksum(directory: Uint8Array, records: Uint8Array): number {
  return crc32(records, crc32(directory.subarray(4)));
}

/** A block that has been read. */
export class Block {
  readonly firstPosition: number;
  readonly processedAt: Instant;
  readonly length: number;
  readonly #directory: DataView;
  readonly #records: Buffer;
  readonly #flags: number;
  /** Where the record of the event that was asked for last begins, and which that was: reading goes forward mostly. */
  #atEvent = 0;
  #atByte = 0;
  #mayBreak: boolean | undefined;

  /** @throws SekaliError `store_damaged` when it is not what was written */
  constructor(firstPosition: number, processedAt: Instant, { directory, records }: BlockColumns) {
    this.firstPosition = firstPosition;
    this.processedAt = processedAt;
    this.#directory = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
    this.#records = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
    if (
      directory.byteLength < HEADER_WORDS * 4 ||
      this.#directory.getUint32(0, true) !== checksum(directory, records) ||
      this.#word(3) * 2 ** 32 + (this.#word(4) >>> 0) !== firstPosition ||
      joinInstant(this.#word(5), this.#word(6)) !== processedAt
    ) {
      throw new SekaliError(
        'store_damaged',
        `the events from position ${firstPosition} on do not have the checksum that was written with them`,
      );
    }
    this.#flags = this.#directory.getInt32(4, true);
    this.length = this.#directory.getInt32(8, true);
  }

  /** Bytes of the texts of its events. */
  get byteLength(): number {
    return this.#records.length;
  }

  position(n: number): number {
    if (!(this.#flags & POSITIONS)) return this.firstPosition + n;
    const at = HEADER_WORDS + this.length * (ENTRY_WORDS + (this.#flags & SEQUENCES ? 2 : 0)) + n;
    return this.firstPosition + (this.#directory.getInt32(at * 4, true) >>> 0);
  }

  /** The number of the event at this position, or -1 when it is not in here. */
  indexOf(position: number): number {
    if (!(this.#flags & POSITIONS)) {
      const n = position - this.firstPosition;
      return n >= 0 && n < this.length ? n : -1;
    }
    for (let n = 0; n < this.length; n++) if (this.position(n) === position) return n;
    return -1;
  }

  topicId(n: number): number {
    return this.#entry(n, 0);
  }

  /** Bytes of event_id, source and payload. */
  recordBytes(n: number): number {
    return this.#entry(n, 1);
  }

  timestamp(n: number): Instant {
    return joinInstant(this.#entry(n, 3), this.#entry(n, 4));
  }

  /** Whether any of its events may have a sequence. */
  get hasSequences(): boolean {
    return (this.#flags & SEQUENCES) !== 0;
  }

  sequence(n: number): number | undefined {
    if (!this.hasSequences) return undefined;
    const at = (HEADER_WORDS + this.length * ENTRY_WORDS + n * 2) * 4;
    const high = this.#directory.getInt32(at, true);
    return high < 0 ? undefined : high * 2 ** 32 + this.#directory.getUint32(at + 4, true);
  }

  eventId(n: number): string {
    const start = this.#startOf(n);
    return this.#records.toString('utf8', start, start + (this.#entry(n, 2) & 0xffff));
  }

  source(n: number): string {
    const lengths = this.#entry(n, 2);
    const start = this.#startOf(n) + (lengths & 0xffff);
    return this.#records.toString('utf8', start, start + (lengths >>> 16));
  }

  payload(n: number): string {
    const { start, end } = this.#payloadSpan(n);
    return this.#records.toString('utf8', start, end);
  }

  /** The texts of an event as they are stored; valid for as long as the block. */
  record(n: number): EventRecord {
    const lengths = this.#entry(n, 2);
    const start = this.#startOf(n);
    const idEnd = start + (lengths & 0xffff);
    const sourceEnd = idEnd + (lengths >>> 16);
    return { bytes: this.#records, start, idEnd, sourceEnd, end: start + this.recordBytes(n) };
  }

  /** Whether a payload may have line breaks. */
  get mayBreak(): boolean {
    this.#mayBreak ??= this.#records.includes(10) || this.#records.includes(13);
    return this.#mayBreak;
  }

  /** The payload as it is stored; valid for as long as the block. */
  payloadBytes(n: number): Buffer {
    const { start, end } = this.#payloadSpan(n);
    return this.#records.subarray(start, end);
  }

  /** The same block without the events that `isRetired`, or undefined when none is left. */
  without(isRetired: (n: number) => boolean): (BlockColumns & { left: number[] }) | undefined {
    const left = Array.from({ length: this.length }, (_, n) => n).filter((n) => !isRetired(n));
    if (left.length === 0) return undefined;
    const sequences = (this.#flags & SEQUENCES) !== 0;
    const words: number[] = [0, (sequences ? SEQUENCES : 0) | POSITIONS, left.length];
    for (let word = words.length; word < HEADER_WORDS; word++) words.push(this.#word(word));
    for (const n of left) for (let word = 0; word < ENTRY_WORDS; word++) words.push(this.#entry(n, word));
    if (sequences) {
      const from = HEADER_WORDS + this.length * ENTRY_WORDS;
      for (const n of left) words.push(this.#word(from + n * 2), this.#word(from + n * 2 + 1));
    }
    for (const n of left) words.push(this.position(n) - this.firstPosition);
    const records = Buffer.concat(
      left.map((n) => this.#records.subarray(this.#startOf(n), this.#startOf(n) + this.recordBytes(n))),
    );
    return { directory: sealed(new Uint8Array(Int32Array.from(words).buffer), records), records, left };
  }

  #payloadSpan(n: number): { start: number; end: number } {
    const lengths = this.#entry(n, 2);
    const start = this.#startOf(n);
    return { start: start + (lengths & 0xffff) + (lengths >>> 16), end: start + this.recordBytes(n) };
  }

  #startOf(n: number): number {
    if (n < this.#atEvent) {
      this.#atEvent = 0;
      this.#atByte = 0;
    }
    while (this.#atEvent < n) this.#atByte += this.recordBytes(this.#atEvent++);
    return this.#atByte;
  }

  #entry(n: number, word: number): number {
    return this.#word(HEADER_WORDS + n * ENTRY_WORDS + word);
  }

  #word(at: number): number {
    return this.#directory.getInt32(at * 4, true);
  }
}
