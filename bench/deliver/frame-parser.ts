/**
 * Finds the events in the body of a stream (HTML Standard, section 9.2), as Sekali writes them: a frame is `id: POSITION`, then `data: ` and
 * the JSON of the event on one line, then an empty line. No JSON is parsed and no text is made: the load generator shares its two
 * cores with the server.
 */

const FRAME_END = Buffer.from('\n\n');
const LF = 10;
const ZERO = 48;
const LETTER_D = 100;
const LETTER_I = 105;
const ID = 'id: '.length;

/** An event at its position; its JSON begins at `at` in `bytes`, which are valid until it returns. */
export type TakeEvent = (position: number, bytes: Buffer, at: number) => void;

export class FrameParser {
  readonly #onEvent: TakeEvent;
  /** The beginning of a frame whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(onEvent: TakeEvent) {
    this.#onEvent = onEvent;
  }

  push(piece: Buffer, from: number, to: number): void {
    const given = piece.subarray(from, to);
    const bytes = this.#rest.length === 0 ? given : Buffer.concat([this.#rest, given]);
    let start = 0;
    for (let end = bytes.indexOf(FRAME_END); end >= 0; end = bytes.indexOf(FRAME_END, start)) {
      this.#readFrame(bytes, start, end);
      start = end + FRAME_END.length;
    }
    this.#rest = start === bytes.length ? NONE : Buffer.from(bytes.subarray(start));
  }

  /** Frames that begin otherwise are no events: where to go on, how soon to come back, a sign of life. */
  #readFrame(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] !== LETTER_I) return refuseNotice(bytes, start, end);
    let at = start + ID;
    let position = 0;
    for (; at < end && bytes[at] !== LF; at++) position = position * 10 + bytes[at]! - ZERO;
    if (bytes[at + 1] === LETTER_D && at < end) this.#onEvent(position, bytes, at + 1 + 'data: '.length);
  }
}

const NONE = Buffer.alloc(0);

function refuseNotice(bytes: Buffer, start: number, end: number): void {
  const text = bytes.toString('latin1', start, end);
  if (text.startsWith('event: ')) throw new Error(`the server tells a subscriber: ${text}`);
}
