import type { Event, Fingerprint } from '../event.ts';
import type { Instant } from '../instant.ts';
import type { Key } from './dedup/key.ts';

/**
 * The events of one commit group, packed: what crosses from the thread that decodes to the thread that stores, with no
 * object and no string an event. (Rows posted as objects cost more than parsing them: 118,000 events a second over HTTP,
 * where handing over bytes made 166,000.)
 *
 * `bytes` holds the records, back to back: event_id, source, payload, in UTF-8, as they are stored. `words` holds what
 * is known of each event, {@link EVENT_WORDS} 32-bit words an event. Topics are few: each is there once, by number.
 */
export class EventPack {
  /** Records; the first {@link bytesUsed} bytes count. */
  bytes: Buffer<ArrayBuffer>;
  words: Int32Array<ArrayBuffer>;
  topics: string[] = [];
  length = 0;
  bytesUsed = 0;

  constructor(buffers: PackBuffers = newBuffers()) {
    this.bytes = Buffer.from(buffers.bytes);
    this.words = new Int32Array(buffers.words);
  }

  /** The pack as it crosses between threads; its buffers are to be transferred. */
  toMessage(): PackMessage {
    const { topics, length, bytesUsed } = this;
    return { bytes: this.bytes.buffer, words: this.words.buffer, topics, length, bytesUsed };
  }

  static fromMessage({ bytes, words, topics, length, bytesUsed }: PackMessage): EventPack {
    const pack = new EventPack({ bytes, words });
    pack.topics = topics;
    pack.length = length;
    pack.bytesUsed = bytesUsed;
    return pack;
  }

  clear(): void {
    this.topics = [];
    this.length = 0;
    this.bytesUsed = 0;
  }

  /** Makes room for events whose JSON text has this many bytes. A record is never longer than its event's text. */
  reserve(jsonBytes: number): void {
    const bytesNeeded = this.bytesUsed + jsonBytes;
    if (bytesNeeded > this.bytes.length) {
      const grown = Buffer.from(new ArrayBuffer(Math.max(bytesNeeded, 2 * this.bytes.length)));
      this.bytes.copy(grown, 0, 0, this.bytesUsed);
      this.bytes = grown;
    }
    const wordsNeeded = this.length * EVENT_WORDS + Math.ceil(jsonBytes / EVENT_JSON_BYTES_MIN) * EVENT_WORDS;
    if (wordsNeeded > this.words.length) {
      const grown = new Int32Array(Math.max(wordsNeeded, 2 * this.words.length));
      grown.set(this.words.subarray(0, this.length * EVENT_WORDS));
      this.words = grown;
    }
  }

  /** Adds the event whose record has been written to {@link bytes} from {@link bytesUsed} on; there is room: see reserve. */
  add(facts: PackedFacts, key: Key): void {
    const { words } = this;
    const at = this.length * EVENT_WORDS;
    const { timestamp, sequence } = facts;
    words[at + START] = this.bytesUsed;
    words[at + ID_BYTES] = facts.idBytes;
    words[at + SOURCE_BYTES] = facts.sourceBytes;
    words[at + RECORD_BYTES] = facts.recordBytes;
    words[at + TOPIC] = facts.topic;
    words[at + TIME_HIGH] = highOfInstant(timestamp);
    words[at + TIME_LOW] = lowOfInstant(timestamp);
    words[at + SEQUENCE_HIGH] = sequence === undefined ? -1 : Math.floor(sequence / 2 ** 32);
    words[at + SEQUENCE_LOW] = (sequence ?? 0) | 0;
    words[at + KEY] = key.a;
    words[at + KEY + 1] = key.b;
    words[at + KEY + 2] = key.c;
    words[at + KEY + 3] = key.d;
    words[at + CONTENT_HIGH] = facts.contentHigh;
    words[at + CONTENT_LOW] = facts.contentLow;
    this.length++;
    this.bytesUsed += facts.recordBytes;
  }

  /** Takes back all events from this one on, which begins at this byte. */
  truncate(length: number, bytesUsed: number): void {
    this.length = length;
    this.bytesUsed = bytesUsed;
  }

  topic(i: number): string {
    return this.topics[this.words[i * EVENT_WORDS + TOPIC]!]!;
  }

  eventId(i: number): string {
    const { words } = this;
    const at = i * EVENT_WORDS;
    return this.bytes.toString('utf8', words[at + START], words[at + START]! + words[at + ID_BYTES]!);
  }

  source(i: number): string {
    const at = i * EVENT_WORDS;
    const start = this.words[at + START]! + this.words[at + ID_BYTES]!;
    return this.bytes.toString('utf8', start, start + this.words[at + SOURCE_BYTES]!);
  }

  payload(i: number): string {
    const { words } = this;
    const at = i * EVENT_WORDS;
    const start = words[at + START]!;
    const from = start + words[at + ID_BYTES]! + words[at + SOURCE_BYTES]!;
    return this.bytes.toString('utf8', from, start + words[at + RECORD_BYTES]!);
  }

  payloadBytes(i: number): number {
    const { words } = this;
    const at = i * EVENT_WORDS;
    return words[at + RECORD_BYTES]! - words[at + ID_BYTES]! - words[at + SOURCE_BYTES]!;
  }

  timestamp(i: number): Instant {
    const at = i * EVENT_WORDS;
    return joinInstant(this.words[at + TIME_HIGH]!, this.words[at + TIME_LOW]!);
  }

  sequence(i: number): number | undefined {
    const high = this.words[i * EVENT_WORDS + SEQUENCE_HIGH]!;
    return high < 0 ? undefined : high * 2 ** 32 + (this.words[i * EVENT_WORDS + SEQUENCE_LOW]! >>> 0);
  }

  /** Reads the key of an event into `key`. */
  readKey(i: number, key: Key): void {
    const { words } = this;
    const at = i * EVENT_WORDS + KEY;
    key.a = words[at]!;
    key.b = words[at + 1]!;
    key.c = words[at + 2]!;
    key.d = words[at + 3]!;
  }

  content(i: number): Fingerprint {
    const at = i * EVENT_WORDS;
    return { high: this.words[at + CONTENT_HIGH]!, low: this.words[at + CONTENT_LOW]! };
  }

  /** One event as an object, for who needs one. */
  event(i: number): Event {
    return {
      topic: this.topic(i),
      event_id: this.eventId(i),
      timestamp: this.timestamp(i),
      source: this.source(i),
      payload: this.payload(i),
      content: this.content(i),
      sequence: this.sequence(i),
    };
  }
}

/** What {@link EventPack.add} is told of an event; one of these serves for any number of them. */
export class PackedFacts {
  idBytes = 0;
  sourceBytes = 0;
  /** Of the whole record. */
  recordBytes = 0;
  /** Number of the topic in {@link EventPack.topics}. */
  topic = 0;
  timestamp: Instant = 0;
  sequence: number | undefined = undefined;
  contentHigh = 0;
  contentLow = 0;
}

interface PackBuffers {
  readonly bytes: ArrayBuffer;
  readonly words: ArrayBuffer;
}

export interface PackMessage extends PackBuffers {
  readonly topics: string[];
  readonly length: number;
  readonly bytesUsed: number;
}

/** Words of an event in {@link EventPack.words}: where its record begins, how long its parts are, and the rest. */
export const EVENT_WORDS = 16;
export const START = 0;
export const ID_BYTES = 1;
export const SOURCE_BYTES = 2;
/** Of the whole record. */
export const RECORD_BYTES = 3;
/** Number of the topic in {@link EventPack.topics}. */
export const TOPIC = 4;
export const TIME_HIGH = 5;
export const TIME_LOW = 6;
/** -1: the event has no sequence. */
export const SEQUENCE_HIGH = 7;
export const SEQUENCE_LOW = 8;
export const KEY = 9; // and the three words after it
export const CONTENT_HIGH = 13;
export const CONTENT_LOW = 14;

/** Bytes of the shortest JSON text that is a valid event; a shorter one never gets into a pack. */
const EVENT_JSON_BYTES_MIN = 64;

function newBuffers(): PackBuffers {
  return { bytes: new ArrayBuffer(64 * 1024), words: new ArrayBuffer(16 * 1024) };
}

/** The upper half of an instant as a signed 64-bit number of microseconds. */
export function highOfInstant(value: Instant): number {
  return typeof value === 'number' ? Math.floor(value / 2 ** 32) : Number(value >> 32n);
}

/** The lower half, as a signed word. */
export function lowOfInstant(value: Instant): number {
  return typeof value === 'number'
    ? (value - Math.floor(value / 2 ** 32) * 2 ** 32) | 0
    : Number(BigInt.asIntN(32, value));
}

const SAFE_HIGH = 2 ** 21; // 2^53 / 2^32

export function joinInstant(high: number, low: number): Instant {
  if (high >= -SAFE_HIGH && high < SAFE_HIGH) {
    const value = high * 2 ** 32 + (low >>> 0);
    if (value >= NUMBER_FIRST && value < NUMBER_END) return value;
  }
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The instants that are numbers; others are bigints: see instant.ts. */
const NUMBER_FIRST = -9_007_199_253_000_000;
const NUMBER_END = 9_007_199_254_000_000;
