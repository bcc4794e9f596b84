/** An answer of the server under load. */
export interface Answer {
  readonly status: number;
  /** Valid until the parser is fed again. */
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16_384;

/**
 * Reads HTTP/1.1 answers as Sekali sends them: a status line, headers with a Content-Length, the body. Anything else
 * (chunks, an answer without a length, bytes that nobody asked for) is an error: a bench must not guess.
 *
 * Bytes are only copied when an answer comes in several pieces.
 */
export class AnswerParser {
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Bytes of the whole answer, once its head has been read. */
  #needed = 0;
  #bodyAt = 0;
  #status = 0;

  /** @returns the answer if these bytes complete it */
  push(piece: Buffer): Answer | undefined {
    const seen = this.#length === 0 ? piece : this.#keep(piece);
    if (this.#needed === 0 && !this.#readHead(seen)) {
      if (seen.length > HEAD_BYTES_MAX) throw new Error('the answer has no end of its head');
      if (this.#length === 0) this.#keep(piece);
      return undefined;
    }
    if (seen.length < this.#needed) {
      if (this.#length === 0) this.#keep(piece);
      return undefined;
    }
    if (seen.length > this.#needed) throw new Error('the server sent more than its answer');
    const body = seen.subarray(this.#bodyAt, this.#needed);
    this.#length = 0;
    this.#needed = 0;
    return { status: this.#status, body };
  }

  #readHead(seen: Buffer): boolean {
    const end = seen.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = seen.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)(?:\r\n|$)/i.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 ') || length === undefined) {
      throw new Error(`an answer that the load generator cannot read:\n${head}`);
    }
    this.#status = Number(head.slice(9, 12));
    this.#bodyAt = end + HEAD_END.length;
    this.#needed = this.#bodyAt + Number(length);
    return true;
  }

  #keep(piece: Buffer): Buffer {
    const length = this.#length + piece.length;
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * length, this.#needed));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    piece.copy(this.#kept, this.#length);
    this.#length = length;
    return this.#kept.subarray(0, length);
  }
}
