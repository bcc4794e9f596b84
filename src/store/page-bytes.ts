import { formatInstant, type Instant } from '../instant.ts';

const BYTES_MIN = 64 * 1024;

/** Bytes that a page begins with: as many as the last one had, and some. */
let usualBytes = BYTES_MIN;

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const LF = 10;
const CR = 13;
const ZERO = 48;

/** Bytes that a loop copies sooner than a call does. */
const LOOP_MAX = 48;

const MICRO_DIGITS = 6;

/** The second of the instant that was put last, as text: those of a page are close together. */
let lastSecond = Number.NaN;
let lastText = Buffer.alloc(0);

/** The text of a page as it is being printed. Strings are made for rare cases alone: they cost more than all the copying. */
export class PageBytes {
  /** Of its size with the first event: many a page has none. */
  #bytes: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #at = 0;

  get at(): number {
    return this.#at;
  }

  /** To be called before what puts bytes. */
  makeRoom(bytes: number): void {
    if (this.#bytes.length - this.#at >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(
      Math.max(this.#bytes.length === 0 ? usualBytes : 2 * this.#bytes.length, this.#at + bytes),
    );
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  /** Makes room by itself. */
  putText(text: string): void {
    this.makeRoom(3 * text.length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** A short constant. */
  put(bytes: Uint8Array): void {
    this.putBytes(bytes, 0, bytes.length);
  }

  putBytes(from: Uint8Array, start: number, end: number): void {
    const to = this.#bytes;
    if (end - start > LOOP_MAX) {
      to.set(from.subarray(start, end), this.#at);
      this.#at += end - start;
      return;
    }
    let at = this.#at;
    for (let i = start; i < end; i++) to[at++] = from[i]!;
    this.#at = at;
  }

  /** Text as a string of JSON: six times its bytes and two more, at most. */
  putString(from: Uint8Array, start: number, end: number): void {
    const to = this.#bytes;
    let at = this.#at;
    to[at++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = from[i]!;
      if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) return this.#putEscaped(from, start, end);
      to[at++] = byte;
    }
    to[at++] = QUOTE;
    this.#at = at;
  }

  #putEscaped(from: Uint8Array, start: number, end: number): void {
    this.putText(JSON.stringify(Buffer.from(from.buffer, from.byteOffset + start, end - start).toString()));
  }

  /** A whole number, 0 or more. */
  putNumber(value: number): void {
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits++;
    const end = this.#at + digits;
    let rest = value;
    for (let at = end - 1; at >= this.#at; at--) {
      const tens = Math.floor(rest / 10);
      this.#bytes[at] = ZERO + (rest - tens * 10);
      rest = tens;
    }
    this.#at = end;
  }

  putInstant(instant: Instant): void {
    if (typeof instant === 'bigint' || instant < 0) return this.putText(formatInstant(instant));
    const second = Math.floor(instant / 1e6);
    if (second !== lastSecond) {
      lastText = Buffer.from(formatInstant(second * 1e6));
      lastSecond = second;
    }
    this.put(lastText);
    // The microsecond, in front of the zone.
    let rest = instant - second * 1e6;
    for (let at = this.#at - 2; at > this.#at - 2 - MICRO_DIGITS; at--) {
      const tens = Math.floor(rest / 10);
      this.#bytes[at] = ZERO + (rest - tens * 10);
      rest = tens;
    }
  }

  /** Of the bytes that were put last: line breaks become spaces. */
  joinLines(count: number): void {
    for (let at = this.#at - count; at < this.#at; at++) {
      if (this.#bytes[at] === LF || this.#bytes[at] === CR) this.#bytes[at] = SPACE;
    }
  }

  finish(): Uint8Array {
    if (this.#at > 0) usualBytes = Math.max(BYTES_MIN, Math.ceil(this.#at * 1.25));
    const text = this.#bytes.subarray(0, this.#at);
    // What is kept or sent is not to be much more than what is in it.
    return 2 * this.#at < this.#bytes.length ? copyOf(text) : text;
  }
}

/** With a memory of its own, of its own size. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
