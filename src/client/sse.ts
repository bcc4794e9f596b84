/** One event of a stream. Without `data` it carries a place alone. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
}

/**
 * Reads Server-Sent Events (HTML Standard, section 9.2.6) from pieces of text, wherever they were cut.
 *
 * Lines end with LF, CRLF or CR; a lone CR at the end of a piece waits for what may follow it. Other than in browsers, frames without
 * data are given out: their id is where to go on.
 */
export class FrameParser {
  /** Pieces of a line that has not ended yet. They are joined once: a line of megabytes comes in hundreds of pieces. */
  #pieces: string[] = [];
  #id: string | undefined;
  #event: string | undefined;
  #data: string[] = [];
  #endedWithCr = false;

  *push(text: string): Generator<Frame> {
    let from = this.#endedWithCr && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#endedWithCr = text.endsWith('\r');
    const ends = /\r\n|\n|\r/g;
    for (;;) {
      ends.lastIndex = from;
      const end = ends.exec(text);
      if (end === null) break;
      const line = this.#pieces.join('') + text.slice(from, end.index);
      this.#pieces = [];
      from = ends.lastIndex;
      if (line !== '') this.#field(line);
      else {
        const frame = this.#finish();
        if (frame !== undefined) yield frame;
      }
    }
    if (from < text.length) this.#pieces.push(text.slice(from));
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'id') this.#id = value;
    else if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
  }

  #finish(): Frame | undefined {
    const data = this.#data.length === 0 ? undefined : this.#data.join('\n');
    const frame = { id: this.#id, event: this.#event, data };
    this.#id = this.#event = undefined;
    this.#data = [];
    return frame.id === undefined && frame.event === undefined && data === undefined ? undefined : frame;
  }
}
