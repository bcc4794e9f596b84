import {
  EVENT_BYTES,
  EVENT_TEMPLATE,
  ID_AT,
  ID_BYTES,
  ID_TEMPLATE,
  stampEvent,
  TOPIC_AT,
  TOPIC_BYTES,
  TOPIC_TEMPLATE,
} from './event-text.ts';
import type { EventNumbers } from './numbers.ts';

/** What stands around the events of a request. Topic and id, as they are in the template, are overwritten there too. */
export interface RequestShape {
  readonly head: string;
  readonly before: string;
  readonly after: string;
  readonly between: string;
  readonly tail: string;
}

/** A request in one buffer that is made once, and holds other events each time it is refilled. */
export class EventRequest {
  readonly bytes: Buffer;
  readonly events: number;
  readonly #seed: number;
  readonly #firstAt: number;
  readonly #strideBytes: number;
  /** Where topic and id stand besides, counted back from where their event begins. */
  readonly #topicsBack: readonly number[];
  readonly #idsBack: readonly number[];

  constructor({ head, before, after, between, tail }: RequestShape, events: number, seed: number) {
    const frame = before + EVENT_TEMPLATE.toString() + after;
    const frames = Array.from({ length: events }, () => frame);
    this.bytes = Buffer.from(head + frames.join(between) + tail);
    this.events = events;
    this.#seed = seed;
    this.#firstAt = head.length + before.length;
    this.#strideBytes = before.length + EVENT_BYTES + after.length + between.length;
    this.#topicsBack = placesOf(TOPIC_TEMPLATE, before).map((at) => before.length - at);
    this.#idsBack = placesOf(ID_TEMPLATE, before).map((at) => before.length - at);
  }

  refill(numbers: EventNumbers): void {
    const { bytes } = this;
    let at = this.#firstAt;
    for (let i = 0; i < this.events; i++) {
      stampEvent(bytes, at, numbers.next(), this.#seed);
      for (const back of this.#topicsBack) {
        bytes[at - back + TOPIC_BYTES - 1] = bytes[at + TOPIC_AT + TOPIC_BYTES - 1]!;
      }
      for (const back of this.#idsBack) bytes.copyWithin(at - back, at + ID_AT, at + ID_AT + ID_BYTES);
      at += this.#strideBytes;
    }
  }
}

function placesOf(part: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) places.push(at);
  return places;
}

/** `POST /publish`: one event, or an array of them. `ack` says when to answer, as far as it is told. */
export function publishRequest(
  host: string,
  events: number,
  seed: number,
  ack?: 'stored' | 'queued',
): EventRequest {
  const [open, close] = events === 1 ? ['', ''] : ['[', ']'];
  const bodyBytes = events * (EVENT_BYTES + 1) - 1 + open.length + close.length;
  const head = [
    `POST /publish${ack === undefined ? '' : `?ack=${ack}`} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    `Content-Length: ${bodyBytes}`,
    `\r\n${open}`,
  ].join('\r\n');
  return new EventRequest({ head, before: '', after: '', between: ',', tail: close }, events, seed);
}
