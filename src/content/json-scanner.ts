import {
  ARRAY_CLOSE,
  ARRAY_OPEN,
  BACKSLASH,
  COLON,
  COMMA,
  DOT,
  MINUS,
  NEWLINE,
  NINE,
  OBJECT_CLOSE,
  OBJECT_OPEN,
  PLUS,
  QUOTE,
  RETURN,
  SPACE,
  TAB,
  ZERO,
} from './ascii.ts';
import {
  hashedHigh,
  hashedLow,
  hashSpan,
  mix,
  PRIME_HIGH,
  PRIME_LOW,
  TAG_ARRAY,
  TAG_LITERAL,
  TAG_NUMBER,
  TAG_OBJECT,
  TAG_STRING,
  wtf8,
} from './content-hash.ts';
import { escapeLength } from './json-escape.ts';
import { isOrdinary, NOT_ASCII, specialBytes } from './string-bytes.ts';

/**
 * One pass over the bytes of a JSON text (RFC 8259): it validates the grammar, finds where each value begins and ends,
 * and computes a fingerprint of a value's content on the way. Nothing is built of a value that is only kept as text.
 *
 * Why not `JSON.parse`: a payload must come back as it was sent (`12345678901234567890`, `1.0`, `"__proto__"`), which a
 * parsed value cannot do; and parsing and printing again costs more than the whole of this pass.
 *
 * The fingerprint: two texts of the same content get the same one. The same content is: equal strings after unescaping,
 * numbers spelled alike (1 and 1.0 differ: to many readers they are two types), arrays of equal elements in the same
 * order, objects of equal members in any order; white space does not count. Two 32-bit lanes with different
 * multipliers, each seeded with half of a secret, run over the words (content-hash.ts); an object's lanes are the sums of
 * its members', which is what makes their order not count, without sorting. It guards against chance, not against a
 * publisher who wants two of his own payloads to look alike.
 *
 * Strings are looked at four bytes at a time, and hashed only inside of a value whose fingerprint is asked for.
 *
 * The input must be UTF-8; the caller has checked that (`isUtf8`), so that no byte above 0x7f is looked at here.
 */

/** The text is not JSON. `offset` is where, in bytes. */
export class JsonSyntaxError extends Error {
  readonly offset: number;
  readonly expected: string;
  constructor(offset: number, expected: string) {
    super(`expected ${expected} at byte ${offset}`);
    this.offset = offset;
    this.expected = expected;
  }
}

/** The value nests deeper than allowed; the scanner stands somewhere inside of it. */
export class TooDeepError extends Error {}

export class JsonScanner {
  /** The byte that is looked at next. */
  at: number;
  readonly end: number;
  readonly bytes: Buffer;

  /** Fingerprint of the value scanned last. */
  high = 0;
  low = 0;

  /** Of the string scanned last: the bytes between its quotes, whether it has escapes, whether it is printable ASCII. */
  textStart = 0;
  textEnd = 0;
  textEscaped = false;
  textPlain = true;

  readonly #view: DataView;
  readonly #seedHigh: number;
  readonly #seedLow: number;

  constructor(bytes: Buffer, start: number, end: number, seedHigh: number, seedLow: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = start;
    this.end = end;
    this.#seedHigh = seedHigh;
    this.#seedLow = seedLow;
  }

  /** Skips white space and returns the byte after it, or 0 at the end (a NUL is no JSON either). */
  peek(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > SPACE || (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return 0;
  }

  /** Skips white space and takes exactly this byte. */
  take(byte: number): void {
    if (this.peek() !== byte) throw this.error(`"${String.fromCharCode(byte)}"`);
    this.at++;
  }

  error(expected: string): JsonSyntaxError {
    return new JsonSyntaxError(this.at, expected);
  }

  /**
   * Scans one value, white space before it included.
   *
   * @param depth how many more levels of arrays and objects may open
   * @throws JsonSyntaxError, TooDeepError
   */
  value(depth: number): void {
    const byte = this.peek();
    if (byte === QUOTE) {
      this.string();
      this.#hashString();
    } else if (byte === OBJECT_OPEN) this.#object(depth);
    else if (byte === ARRAY_OPEN) this.#array(depth);
    else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) this.#number();
    else this.#literal(byte);
  }

  /** Scans a string, whose opening quote is the next byte, without its fingerprint. */
  string(): void {
    const { bytes, end } = this;
    const view = this.#view;
    const start = this.at + 1;
    let at = start;
    let seen = 0;
    for (;;) {
      if (at + 4 <= end) {
        const word = view.getInt32(at, true);
        const special = specialBytes(word);
        seen |= word | (word + 0x01010101); // a DEL (0x7f) is not plain either
        if (special === 0) {
          at += 4;
          continue;
        }
        at += (31 - Math.clz32(special & -special)) >>> 3;
      } else {
        for (; at < end && isOrdinary(bytes[at]!); at++) seen |= bytes[at]! | (bytes[at]! + 1);
      }
      break;
    }
    if (at < end && bytes[at] === QUOTE) {
      this.textStart = start;
      this.textEnd = at;
      this.textEscaped = false;
      // Bytes behind the quote may have been seen too: a plain text may be taken for one that is not, never the reverse.
      this.textPlain = (seen & NOT_ASCII) === 0;
      this.at = at + 1;
    } else this.#unusualString(start, at);
  }

  /** The string scanned last, unescaped. */
  text(): string {
    if (this.textEscaped)
      return JSON.parse(this.bytes.toString('utf8', this.textStart - 1, this.textEnd + 1)) as string;
    return this.textPlain
      ? this.bytes.toString('latin1', this.textStart, this.textEnd)
      : this.bytes.toString('utf8', this.textStart, this.textEnd);
  }

  /** The rest of a string from its first byte on that is neither the quote nor an ordinary one. */
  #unusualString(start: number, first: number): void {
    const { bytes, end } = this;
    let at = first;
    for (;;) {
      if (at >= end) {
        this.at = at;
        throw this.error('the closing quote of a string');
      }
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      if (byte < SPACE) {
        this.at = at;
        throw this.error('no control character in a string');
      }
      at += byte === BACKSLASH ? this.#escapeLength(at) : 1;
    }
    this.textStart = start;
    this.textEnd = at;
    this.textEscaped = true;
    this.textPlain = false;
    this.at = at + 1;
  }

  /** Fingerprint of the string scanned last; one with escapes is built, and hashed as if it had been sent without. */
  #hashString(): void {
    if (!this.textEscaped) {
      this.#hashBytes(this.textStart, this.textEnd, TAG_STRING);
      return;
    }
    const text = this.text();
    // A lone surrogate has no UTF-8: each becomes three bytes of its own (as WTF-8 does), so that two of them differ.
    const bytes = text.isWellFormed() ? Buffer.from(text, 'utf8') : wtf8(text);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    hashSpan(view, 0, bytes.length, this.#seedHigh ^ TAG_STRING, this.#seedLow ^ TAG_STRING);
    this.high = hashedHigh;
    this.low = hashedLow;
  }

  /** Bytes of the escape sequence at this offset. */
  #escapeLength(at: number): number {
    const length = escapeLength(this.bytes, at, this.end);
    if (length > 0) return length;
    this.at = at - length;
    throw this.error(
      length === -1 ? 'one of "\\/bfnrtu after a backslash' : 'four hexadecimal digits after \\u',
    );
  }

  #number(): void {
    const { bytes, end } = this;
    const start = this.at;
    if (bytes[this.at] === MINUS) this.at++;
    if (this.at < end && bytes[this.at] === ZERO) this.at++;
    else this.#digits();
    if (this.at < end && bytes[this.at] === DOT) {
      this.at++;
      this.#digits();
    }
    const exponent = this.at < end ? bytes[this.at]! | 0x20 : 0;
    if (exponent === 0x65) {
      this.at++;
      if (bytes[this.at] === PLUS || bytes[this.at] === MINUS) this.at++;
      this.#digits();
    }
    this.#hashBytes(start, this.at, TAG_NUMBER);
  }

  #digits(): void {
    const { bytes, end } = this;
    const start = this.at;
    let at = start;
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
    this.at = at;
    if (at === start) throw this.error('a digit');
  }

  #literal(byte: number): void {
    const word = byte === 0x74 ? TRUE : byte === 0x66 ? FALSE : byte === 0x6e ? NULL : undefined;
    const start = this.at;
    if (
      word === undefined ||
      start + word.length > this.end ||
      word.compare(this.bytes, start, start + word.length)
    ) {
      throw this.error('a JSON value');
    }
    this.at = start + word.length;
    this.#hashBytes(start, this.at, TAG_LITERAL);
  }

  #array(depth: number): void {
    if (depth < 1) throw new TooDeepError();
    this.at++;
    let high = this.#seedHigh ^ TAG_ARRAY;
    let low = this.#seedLow ^ TAG_ARRAY;
    let count = 0;
    if (this.peek() === ARRAY_CLOSE) this.at++;
    else {
      for (;;) {
        this.value(depth - 1);
        high = Math.imul(high ^ this.high, PRIME_HIGH);
        low = Math.imul(low ^ this.low, PRIME_LOW);
        count++;
        const byte = this.peek();
        this.at++;
        if (byte === ARRAY_CLOSE) break;
        if (byte !== COMMA) {
          this.at--;
          throw this.error('"," or "]"');
        }
      }
    }
    this.#finish(high, low, count);
  }

  #object(depth: number): void {
    if (depth < 1) throw new TooDeepError();
    this.at++;
    let high = this.#seedHigh ^ TAG_OBJECT;
    let low = this.#seedLow ^ TAG_OBJECT;
    let count = 0;
    if (this.peek() === OBJECT_CLOSE) this.at++;
    else {
      for (;;) {
        if (this.peek() !== QUOTE) throw this.error('a member name');
        this.string();
        this.#hashString();
        const nameHigh = this.high;
        const nameLow = this.low;
        this.take(COLON);
        this.value(depth - 1);
        // Name and value are mixed before they are summed, so that values swapped between names change the sum.
        high = (high + mix(Math.imul(nameHigh, PRIME_LOW) ^ this.high)) | 0;
        low = (low + mix(Math.imul(nameLow, PRIME_HIGH) ^ this.low)) | 0;
        count++;
        const byte = this.peek();
        this.at++;
        if (byte === OBJECT_CLOSE) break;
        if (byte !== COMMA) {
          this.at--;
          throw this.error('"," or "}"');
        }
      }
    }
    this.#finish(high, low, count);
  }

  #hashBytes(start: number, end: number, tag: number): void {
    hashSpan(this.#view, start, end, this.#seedHigh ^ tag, this.#seedLow ^ tag);
    this.high = hashedHigh;
    this.low = hashedLow;
  }

  #finish(high: number, low: number, length: number): void {
    this.high = mix(high ^ length);
    this.low = mix(low ^ Math.imul(length, PRIME_HIGH));
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');
