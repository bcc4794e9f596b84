import { PageBytes } from './page-bytes.ts';
import { onOneLine, printHead, printRest } from './print-event.ts';
import type { EventPage, PrintedPage, Printing, StoredEvent } from './store-reader.ts';

/** What is behind an event. */
const ENDS = { items: ',', lines: '\n', frames: '\n\n' } as const satisfies Record<Printing, string>;

/** An event as it lies in memory: the UTF-8 of event_id, source and payload back to back. */
export interface EventRecord {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly idEnd: number;
  readonly sourceEnd: number;
  readonly end: number;
}

export function printPage({ events, next }: EventPage, printing: Printing): PrintedPage {
  const printer = new PagePrinter(printing, events.length);
  for (const event of events) printer.add(event);
  return printer.finish(next);
}

/** A topic of the page: its number, and its JSON within what is printed before and behind it. */
interface PageTopic {
  readonly number: number;
  readonly json: string;
  readonly bytes: Uint8Array;
}

/** Prints a page. */
export class PagePrinter {
  readonly #printing: Printing;
  readonly #behind: Uint8Array;
  readonly #ends: Uint32Array<ArrayBuffer>;
  readonly #positions: Float64Array<ArrayBuffer>;
  readonly #topicOf: Uint32Array<ArrayBuffer>;
  readonly #sources: Uint32Array<ArrayBuffer>;
  readonly #topics = new Map<string, PageTopic>();
  readonly #page = new PageBytes();
  #count = 0;

  /** @param limit events at most */
  constructor(printing: Printing, limit: number) {
    this.#printing = printing;
    this.#behind = Buffer.from(ENDS[printing]);
    this.#ends = new Uint32Array(limit);
    this.#positions = new Float64Array(limit);
    this.#topicOf = new Uint32Array(limit);
    this.#sources = new Uint32Array(2 * limit);
  }

  add(event: StoredEvent): void {
    const page = this.#page;
    const topic = this.#topic(event.topic);
    const source = JSON.stringify(event.source);
    this.#begin(event.position);
    page.putText(printHead(event, topic.json, JSON.stringify(event.event_id)));
    this.#sources[2 * this.#count] = page.at;
    page.putText(source);
    this.#sources[2 * this.#count + 1] = page.at;
    page.putText(printRest(event, this.#printing === 'items' ? event.payload : onOneLine(event.payload)));
    this.#end(event.position, topic);
  }

  /**
   * The same as `add`, of an event that has not been decoded: 0.5 µs instead of 2, most of it for strings.
   *
   * @param rest what is behind the payload: `,"processed_at":"…"}`
   * @param mayBreak whether its payload may have line breaks
   */
  addRecord(
    {
      topic: name,
      position,
      timestamp,
      sequence,
    }: Omit<StoredEvent, 'event_id' | 'source' | 'payload' | 'processed_at'>,
    { bytes, start, idEnd, sourceEnd, end }: EventRecord,
    rest: Uint8Array,
    mayBreak: boolean,
  ): void {
    const page = this.#page;
    const topic = this.#topic(name);
    // Escaped, a byte of a name is six.
    page.makeRoom(
      6 * (sourceEnd - start) + end - sourceEnd + topic.bytes.length + rest.length + MEMBERS_BYTES_MAX,
    );
    this.#begin(position);
    page.put(POSITION);
    page.putNumber(position);
    page.put(topic.bytes);
    page.putString(bytes, start, idEnd);
    page.put(TIMESTAMP);
    page.putInstant(timestamp);
    page.put(SOURCE);
    this.#sources[2 * this.#count] = page.at;
    page.putString(bytes, idEnd, sourceEnd);
    this.#sources[2 * this.#count + 1] = page.at;
    if (sequence !== undefined) {
      page.put(SEQUENCE);
      page.putNumber(sequence);
    }
    page.put(PAYLOAD);
    page.putBytes(bytes, sourceEnd, end);
    if (mayBreak && this.#printing !== 'items') page.joinLines(end - sourceEnd);
    page.put(rest);
    this.#end(position, topic);
  }

  /** The page; nothing is printed into it after that. */
  finish(next: number | undefined): PrintedPage {
    const count = this.#count;
    return {
      text: this.#page.finish(),
      ends: this.#ends.slice(0, count),
      positions: this.#positions.slice(0, count),
      topicOf: this.#topicOf.slice(0, count),
      topics: [...this.#topics.keys()],
      sources: this.#sources.slice(0, 2 * count),
      next,
    };
  }

  #begin(position: number): void {
    if (this.#printing !== 'frames') return;
    this.#page.makeRoom(MEMBERS_BYTES_MAX);
    this.#page.put(ID);
    this.#page.putNumber(position);
    this.#page.put(DATA);
  }

  #end(position: number, topic: PageTopic): void {
    this.#page.makeRoom(2);
    this.#page.put(this.#behind);
    const n = this.#count++;
    this.#ends[n] = this.#page.at;
    this.#positions[n] = position;
    this.#topicOf[n] = topic.number;
  }

  #topic(name: string): PageTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const json = JSON.stringify(name);
      topic = { number: this.#topics.size, json, bytes: Buffer.from(`,"topic":${json},"event_id":`) };
      this.#topics.set(name, topic);
    }
    return topic;
  }
}

/** More than what is printed of an event beside its texts. */
const MEMBERS_BYTES_MAX = 256;

// An event as print-event.ts prints it, in pieces; the contract suite of stores compares the two.
const ID = Buffer.from('id: ');
const DATA = Buffer.from('\ndata: ');
const POSITION = Buffer.from('{"position":');
const TIMESTAMP = Buffer.from(',"timestamp":"');
const SOURCE = Buffer.from('","source":');
const SEQUENCE = Buffer.from(',"sequence":');
const PAYLOAD = Buffer.from(',"payload":');
