import { FileIdentity } from './file-identity.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const LF = Buffer.from('\n');
const CR_LF = Buffer.from('\r\n');

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Bytes of the file before it. */
  readonly offset: number;
  /** See file-identity.ts. */
  readonly id: string;
  /** Without its newline. Good until the next chunk is pushed. */
  readonly bytes: Buffer;
}

/** A line that was not held in memory, for it is over the limit. The lines behind it are read as ever. */
export interface LongLine {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** A place behind a newline, with the content before it: all that is needed to go on from there. */
export interface ReaderPosition {
  readonly offset: number;
  /** Of the identity text and the file up to the offset, hexadecimal. */
  readonly sha256: string;
}

export interface LineReaderOptions {
  readonly identity: string;
  /** Bytes of the longest line that is held in memory. */
  readonly lineBytesMax: number;
}

/**
 * Cuts the chunks of a file into lines, from its first byte on, and names each. A line ends with LF; a CR before it is
 * part of the newline, not of the line, and so is one at the very end of a file.
 */
export class LineReader {
  readonly #identity: FileIdentity;
  readonly #lineBytesMax: number;
  /** Where the current line begins, and its number. */
  #offset = 0;
  #number = 1;
  /** Of the current line, what came in earlier chunks; counted in `#held` although a long line is not kept. */
  #pieces: Buffer[] = [];
  #held = 0;
  /** The position before the current line, when that is a long one and the identity has moved into it already. */
  #beforeLong: ReaderPosition | undefined;

  constructor({ identity, lineBytesMax }: LineReaderOptions) {
    this.#identity = new FileIdentity(identity);
    this.#lineBytesMax = lineBytesMax;
  }

  /** Behind the last line that was read with its newline. */
  get position(): ReaderPosition {
    return this.#beforeLong ?? { offset: this.#offset, sha256: this.#identity.sha256() };
  }

  get isAtStart(): boolean {
    return this.#offset + this.#held === 0;
  }

  /** Whether a line has begun whose newline has not been seen. */
  get isWithinLine(): boolean {
    return this.#held > 0;
  }

  get lineNumber(): number {
    return this.#number;
  }

  /** Passes over what need not be cut into lines again, to a place behind a newline. */
  skip(bytes: Buffer): void {
    this.#identity.add(bytes);
    this.#offset += bytes.length;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) this.#number++;
  }

  /** The lines that end in this chunk. Must be iterated; the position moves with the iteration. */
  *push(chunk: Buffer): Generator<Line | LongLine> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      yield this.#isTooLong(piece) ? this.#endLongLine(piece) : this.#endLine(piece);
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** The last line, if it lacks its newline. The position stays before it: its end may still be written. */
  end(): Line | LongLine | undefined {
    if (this.#held === 0) return undefined;
    const place = { number: this.#number, offset: this.#offset };
    if (this.#beforeLong) return { ...place, length: this.#held };
    const bytes = withoutReturn(Buffer.concat(this.#pieces));
    return { ...place, id: this.#identity.lineIdAfter(bytes), bytes };
  }

  #isTooLong(piece: Buffer): boolean {
    return this.#beforeLong !== undefined || this.#held + piece.length > this.#lineBytesMax;
  }

  /** Keeps a piece of a line whose end is in a later chunk, or only hashes it once the line is too long. */
  #hold(piece: Buffer): void {
    if (this.#isTooLong(piece)) this.#hashLong(piece);
    else this.#pieces.push(Buffer.from(piece)); // a copy: the chunk's memory is used again
    this.#held += piece.length;
  }

  #hashLong(piece: Buffer): void {
    this.#beforeLong ??= this.position;
    for (const held of this.#pieces) this.#identity.add(held);
    this.#pieces = [];
    this.#identity.add(piece);
  }

  #endLine(piece: Buffer): Line {
    const whole = this.#held === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    const bytes = withoutReturn(whole);
    this.#identity.add(bytes);
    const line = { number: this.#number, offset: this.#offset, id: this.#identity.lineId(), bytes };
    this.#identity.add(bytes.length < whole.length ? CR_LF : LF);
    this.#next(whole.length);
    return line;
  }

  #endLongLine(piece: Buffer): LongLine {
    this.#hashLong(piece);
    this.#identity.add(LF);
    const line = { number: this.#number, offset: this.#offset, length: this.#held + piece.length };
    this.#next(line.length);
    return line;
  }

  #next(length: number): void {
    this.#offset += length + 1;
    this.#number++;
    this.#pieces = [];
    this.#held = 0;
    this.#beforeLong = undefined;
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === RETURN ? line.subarray(0, -1) : line;
}
