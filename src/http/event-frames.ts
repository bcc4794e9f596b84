import type { FeedStep } from '../deliver/feed.ts';
import type { StoredEvent } from '../store/store.ts';
import { printEvent } from './print-event.ts';

/** Live chunks that are kept for those who follow the same topics, and are at the same place at the same time. */
const SHARED_MAX = 64;

/**
 * Events as Server-Sent Events (HTML Standard, section 9.2): `id` is the position, `data` the JSON of the event on one line.
 *
 * A hundred who follow one topic get the same bytes: what comes live is printed once.
 */
export class EventFrames {
  readonly #shared = new Map<string, Buffer>();

  /** @param who the same for all who want the same events */
  print({ events, isLive, through }: FeedStep, who: string): Buffer {
    if (!isLive) return Buffer.from(events.map(printFrame).join(''));
    const key = `${events[0]?.position} ${through} ${who}`;
    let frames = this.#shared.get(key);
    if (frames === undefined) {
      frames = Buffer.from(events.map(printFrame).join(''));
      this.#shared.set(key, frames);
      if (this.#shared.size > SHARED_MAX) this.#shared.delete(this.#shared.keys().next().value!);
    }
    return frames;
  }
}

/** Characters of payload that are written at one time: whoever takes this much in the time given is not too slow. */
const PIECE_LENGTH_MAX = 64 * 1024;

/** A step in pieces that are written one after the other, each of whole events. */
export function* inPieces({ events, isLive }: FeedStep): Generator<FeedStep> {
  for (let first = 0; first < events.length; ) {
    let end = first;
    let length = 0;
    while (end < events.length && length < PIECE_LENGTH_MAX) length += events[end++]!.payload.length;
    yield { events: events.slice(first, end), through: events[end - 1]!.position, isLive };
    first = end;
  }
}

/** A line break in JSON text is white space, for within a string it has to be escaped. */
function printFrame(event: StoredEvent): string {
  return `id: ${event.position}\ndata: ${printEvent(event).replace(/[\r\n]/g, ' ')}\n\n`;
}

/** No event, but the place at which a client that comes back goes on. */
export function printPlace(position: number): string {
  return `id: ${position}\n\n`;
}
