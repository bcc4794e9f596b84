/** Takes the bytes between `from` and `to`, which are valid until it returns. */
export type TakeBytes = (bytes: Buffer, from: number, to: number) => void;

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16_384;
const CR = 13;
const LF = 10;

/** What is read next: the head; a line with the size of a chunk; its bytes; the line break behind them. */
type State = 'head' | 'size' | 'bytes' | 'break';

/**
 * Reads an HTTP/1.1 answer that goes on and on, as Sekali sends streams: status 200, then chunks (RFC 9112, section 7.1). Anything else is
 * an error, the last chunk too: a bench must not guess, and no stream it looks at may end. Nothing is copied but the head.
 */
export class ChunkParser {
  readonly #take: TakeBytes;
  #state: State = 'head';
  #head = '';
  /** Of the chunk, as far as its digits or bytes have not come yet. */
  #size = 0;

  constructor(take: TakeBytes) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    for (let at = this.#state === 'head' ? this.#readHead(piece) : 0; at < piece.length; ) {
      if (this.#state === 'bytes') at = this.#readBytes(piece, at);
      else this.#readFraming(piece[at++]!);
    }
  }

  /** @returns where the body goes on in this piece */
  #readHead(piece: Buffer): number {
    const before = this.#head.length;
    this.#head += piece.toString('latin1');
    const end = this.#head.indexOf(HEAD_END.toString());
    if (end < 0) {
      if (this.#head.length > HEAD_BYTES_MAX) throw new Error('the answer has no end of its head');
      return piece.length;
    }
    const head = this.#head.slice(0, end);
    if (!head.startsWith('HTTP/1.1 200 ') || !/\r\ntransfer-encoding: *chunked(?:\r\n|$)/i.test(head)) {
      throw new Error(`not a stream:\n${this.#head}`);
    }
    this.#state = 'size';
    return end + HEAD_END.length - before;
  }

  #readBytes(piece: Buffer, at: number): number {
    const end = Math.min(at + this.#size, piece.length);
    this.#size -= end - at;
    if (this.#size === 0) this.#state = 'break';
    this.#take(piece, at, end);
    return end;
  }

  #readFraming(byte: number): void {
    if (byte === CR) return;
    if (byte !== LF) {
      if (this.#state === 'break') throw new Error('a chunk is longer than it said');
      this.#size = this.#size * 16 + hexDigit(byte);
    } else if (this.#state === 'break') this.#state = 'size';
    else if (this.#size === 0) throw new Error('the server ended the stream');
    else this.#state = 'bytes';
  }
}

function hexDigit(byte: number): number {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  if (Number.isNaN(digit)) throw new Error('the size of a chunk is not hexadecimal');
  return digit;
}
