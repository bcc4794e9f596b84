import {
  ARRAY_CLOSE,
  ARRAY_OPEN,
  BACKSLASH,
  COLON,
  COMMA,
  OBJECT_CLOSE,
  OBJECT_OPEN,
  QUOTE,
  SPACE,
} from '../content/ascii.ts';
import { type JsonScanner, TooDeepError } from '../content/json-scanner.ts';
import {
  checkName,
  type EventLimits,
  MEMBERS,
  type Member,
  NAME_LENGTH_MAX,
  type Rejection,
} from '../event.ts';
import type { Instant } from '../instant.ts';
import { didYouMean } from '../nearest.ts';
import type { KeyHasher } from '../store/dedup/key.ts';
import {
  CONTENT_HIGH,
  CONTENT_LOW,
  EVENT_WORDS,
  type EventPack,
  highOfInstant,
  ID_BYTES,
  KEY,
  lowOfInstant,
  RECORD_BYTES,
  SEQUENCE_HIGH,
  SEQUENCE_LOW,
  SOURCE_BYTES,
  START,
  TIME_HIGH,
  TIME_LOW,
  TOPIC,
} from '../store/event-pack.ts';
import { scanInstant } from './scan-instant.ts';
import type { KnownTopic, TopicCache } from './topic-cache.ts';

/** An event that is not valid, with its `event_id` where that could be read. */
export interface RejectedEvent {
  readonly rejection: Rejection;
  readonly event_id: string | undefined;
}

/** What an event scanner keeps from one request to the next. */
export interface EventScannerParts {
  readonly limits: EventLimits;
  readonly hasher: KeyHasher;
  readonly topics: TopicCache;
}

/**
 * Accepts events: reads one at a time from a JSON text, holds it against the rules of PROTOCOL.md ("An event"), and adds it
 * to a pack. A broken rule rejects that event alone and the scan goes on behind it; broken JSON throws, since where the
 * next event would begin is then unknown.
 */
export class EventScanner {
  readonly scanner: JsonScanner;
  readonly #limits: EventLimits;
  readonly #hasher: KeyHasher;
  readonly #topics: TopicCache;
  readonly #pack: EventPack;

  #seen = 0;
  #rejection: Rejection | undefined;
  #topic: KnownTopic | undefined;
  readonly #eventId = new NameSpan();
  readonly #source = new NameSpan();
  #timestamp: Instant = 0;
  #payloadStart = 0;
  #payloadEnd = 0;
  #contentHigh = 0;
  #contentLow = 0;
  #sequence: number | undefined;

  /** @param pack takes the events; it must have room for all that the scanner's text can hold */
  constructor(scanner: JsonScanner, pack: EventPack, { limits, hasher, topics }: EventScannerParts) {
    this.scanner = scanner;
    this.#pack = pack;
    this.#limits = limits;
    this.#hasher = hasher;
    this.#topics = topics;
  }

  /**
   * Reads the value that the scanner stands at as an event.
   *
   * @returns why it is not valid; undefined when it is, and is in the pack
   * @throws JsonSyntaxError
   */
  next(): RejectedEvent | undefined {
    const { scanner } = this;
    const first = scanner.peek();
    const start = scanner.at;
    this.#reset();
    try {
      if (first === OBJECT_OPEN) this.#members();
      else {
        scanner.value(this.#limits.depthMax);
        this.#reject('not_an_object', 'an event must be a JSON object');
      }
    } catch (error) {
      if (!(error instanceof TooDeepError)) throw error;
      scanner.at = start;
      skipBalanced(scanner);
      this.#rejection = {
        code: 'too_deep',
        detail: `an event must not nest deeper than ${this.#limits.depthMax} levels`,
      };
    }
    if (scanner.at - start > this.#limits.eventBytesMax) {
      this.#rejection = {
        code: 'event_too_large',
        detail: `an event must have at most ${this.#limits.eventBytesMax} bytes; this one has ${scanner.at - start}`,
      };
    }
    if (this.#rejection === undefined && this.#seen !== ALL_REQUIRED) this.#requireMembers();
    if (this.#rejection !== undefined) {
      // Empty also where it was no string, or too long to be built.
      const eventId = this.#seen & BIT.event_id ? this.#eventId.text() : '';
      return { rejection: this.#rejection, event_id: eventId || undefined };
    }
    this.#add();
    return undefined;
  }

  #add(): void {
    const pack = this.#pack;
    const { bytes, words } = pack;
    const at = pack.length * EVENT_WORDS;
    const start = pack.bytesUsed;
    const topic = this.#topic!;
    const idBytes = this.#eventId.copyTo(bytes, start);
    const sourceBytes = this.#source.copyTo(bytes, start + idBytes);
    const payloadAt = start + idBytes + sourceBytes;
    this.scanner.bytes.copy(bytes, payloadAt, this.#payloadStart, this.#payloadEnd);
    const end = payloadAt + this.#payloadEnd - this.#payloadStart;
    words[at + START] = start;
    words[at + ID_BYTES] = idBytes;
    words[at + SOURCE_BYTES] = sourceBytes;
    words[at + RECORD_BYTES] = end - start;
    words[at + TOPIC] = this.#topics.numberIn(pack, topic);
    words[at + TIME_HIGH] = highOfInstant(this.#timestamp);
    words[at + TIME_LOW] = lowOfInstant(this.#timestamp);
    words[at + SEQUENCE_HIGH] = this.#sequence === undefined ? -1 : Math.floor(this.#sequence / 2 ** 32);
    words[at + SEQUENCE_LOW] = (this.#sequence ?? 0) | 0;
    const { a, b, c, d } = this.#hasher.hashId(topic.state, bytes, start, start + idBytes);
    words[at + KEY] = a;
    words[at + KEY + 1] = b;
    words[at + KEY + 2] = c;
    words[at + KEY + 3] = d;
    words[at + CONTENT_HIGH] = this.#contentHigh;
    words[at + CONTENT_LOW] = this.#contentLow;
    pack.length++;
    pack.bytesUsed = end;
  }

  #reset(): void {
    this.#seen = 0;
    this.#rejection = undefined;
    this.#sequence = undefined;
  }

  /** The first broken rule is the one that is told. */
  #reject(code: Rejection['code'], detail: string): void {
    this.#rejection ??= { code, detail };
  }

  #members(): void {
    const { scanner } = this;
    scanner.at++;
    if (scanner.peek() === OBJECT_CLOSE) {
      scanner.at++;
      return;
    }
    for (;;) {
      if (scanner.peek() !== QUOTE) throw scanner.error('a member name');
      scanner.string();
      const member = this.#memberName();
      scanner.take(COLON);
      scanner.peek();
      this.#member(member);
      const byte = scanner.peek();
      if (byte !== COMMA && byte !== OBJECT_CLOSE) throw scanner.error('"," or "}"');
      scanner.at++;
      if (byte === OBJECT_CLOSE) return;
    }
  }

  #memberName(): Member | undefined {
    const { scanner } = this;
    const member = this.#plainMember() ?? MEMBERS.find((known) => known === scanner.text());
    if (member === undefined) {
      const text = scanner.text();
      this.#reject(
        'member_unknown',
        `${JSON.stringify(text.slice(0, 64))} is no member of an event${didYouMean(text, MEMBERS)}`,
      );
    } else if (this.#seen & BIT[member]) {
      this.#reject('member_repeated', `${member} is given twice`);
    }
    return member;
  }

  /** The member that is spelled without escapes by the string scanned last: compared in place, byte by byte. */
  #plainMember(): Member | undefined {
    const { bytes, textStart, textEnd } = this.scanner;
    const member = guessMember(textEnd - textStart, bytes[textStart] ?? 0);
    if (member === undefined) return undefined;
    for (let i = 0; i < member.length; i++) {
      if (bytes[textStart + i] !== member.charCodeAt(i)) return undefined;
    }
    return member;
  }

  #member(member: Member | undefined): void {
    switch (member) {
      case 'topic':
        this.#readTopic();
        break;
      case 'event_id':
        this.#readName('event_id', this.#eventId);
        break;
      case 'source':
        this.#readName('source', this.#source);
        break;
      case 'timestamp':
        this.#readTimestamp();
        break;
      case 'payload':
        this.#readPayload();
        break;
      case 'sequence':
        this.#readSequence();
        break;
      case undefined:
        this.scanner.value(this.#limits.depthMax - 1);
        return;
    }
    this.#seen |= BIT[member];
  }

  #readTopic(): void {
    if (!this.#nameBegins('topic')) return;
    const topic = this.#topics.read(this.scanner);
    if ('code' in topic) this.#reject(topic.code, topic.detail);
    else this.#topic = topic;
  }

  #readName(member: 'event_id' | 'source', span: NameSpan): void {
    span.clear();
    if (!this.#nameBegins(member)) return;
    const { scanner } = this;
    const length = scanner.textEnd - scanner.textStart;
    const first = scanner.bytes[scanner.textStart];
    if (scanner.textPlain && length > 0 && length <= NAME_LENGTH_MAX && first !== SPACE) {
      span.take(scanner); // obviously good
      return;
    }
    // Judged as it was sent: in UTF-8 a lone surrogate would have become something else.
    const text = scanner.text();
    if (scanner.textEscaped) span.takeText(text);
    else span.take(scanner);
    const rejection = checkName(member, text);
    if (rejection) this.#reject(rejection.code, rejection.detail);
  }

  /** Scans the string that a name must be; false when it is none, or is longer than any valid name however it is spelled. */
  #nameBegins(member: 'topic' | 'event_id' | 'source'): boolean {
    const { scanner } = this;
    if (scanner.peek() !== QUOTE) {
      this.#wrongType(member, 'a string');
      return false;
    }
    scanner.string();
    if (scanner.textEnd - scanner.textStart <= 12 * NAME_LENGTH_MAX) return true;
    this.#reject('text_too_long', `${member} must have at most ${NAME_LENGTH_MAX} characters`);
    return false;
  }

  #readTimestamp(): void {
    const { scanner } = this;
    if (scanner.peek() !== QUOTE) {
      this.#wrongType('timestamp', 'a string');
      return;
    }
    scanner.string();
    const timestamp = scanInstant(scanner);
    if (timestamp === undefined) {
      this.#reject('timestamp_invalid', 'timestamp must be an RFC 3339 date-time, as 2026-01-31T12:00:00Z');
    } else {
      this.#timestamp = timestamp;
    }
  }

  #readPayload(): void {
    const { scanner } = this;
    if (scanner.peek() !== OBJECT_OPEN) {
      this.#wrongType('payload', 'a JSON object');
      return;
    }
    this.#payloadStart = scanner.at;
    scanner.value(this.#limits.depthMax - 1);
    this.#payloadEnd = scanner.at;
    this.#contentHigh = scanner.high;
    this.#contentLow = scanner.low;
  }

  #readSequence(): void {
    const { scanner } = this;
    scanner.peek();
    const start = scanner.at;
    scanner.value(this.#limits.depthMax - 1);
    const text = scanner.bytes.toString('latin1', start, Math.min(scanner.at, start + 17));
    const sequence = Number(text);
    if (/^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(sequence)) this.#sequence = sequence;
    else this.#reject('sequence_invalid', 'sequence must be an integer from 0 to 9007199254740991');
  }

  #wrongType(member: Member, wanted: string): void {
    this.scanner.value(this.#limits.depthMax - 1);
    this.#reject('type_invalid', `${member} must be ${wanted}`);
  }

  #requireMembers(): void {
    for (const member of MEMBERS) {
      if (member !== 'sequence' && !(this.#seen & BIT[member])) {
        this.#reject('member_missing', `${member} is required`);
      }
    }
  }
}

/** An event_id or a source: where its UTF-8 is. In the body as it was sent, or, if it was sent with escapes, built anew. */
class NameSpan {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  clear(): void {
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  /** Takes the string that was scanned last, which has no escapes. */
  take({ bytes, textStart, textEnd }: JsonScanner): void {
    this.#bytes = bytes;
    this.#start = textStart;
    this.#end = textEnd;
  }

  takeText(text: string): void {
    this.#bytes = Buffer.from(text);
    this.#start = 0;
    this.#end = this.#bytes.length;
  }

  text(): string {
    return this.#bytes.toString('utf8', this.#start, this.#end);
  }

  /** @returns how many bytes it has */
  copyTo(target: Buffer, at: number): number {
    return this.#bytes.copy(target, at, this.#start, this.#end);
  }
}

const EMPTY = Buffer.alloc(0);

const BIT = {
  topic: 1,
  event_id: 2,
  timestamp: 4,
  source: 8,
  payload: 16,
  sequence: 32,
} as const satisfies Record<Member, number>;

const ALL_REQUIRED = BIT.topic | BIT.event_id | BIT.timestamp | BIT.source | BIT.payload;

/** The one member that has this length and first letter; the caller still compares. */
function guessMember(length: number, firstByte: number): Member | undefined {
  switch (length) {
    case 5:
      return 'topic';
    case 6:
      return 'source';
    case 7:
      return 'payload';
    case 8:
      return firstByte === 0x65 ? 'event_id' : 'sequence';
    case 9:
      return 'timestamp';
    default:
      return undefined;
  }
}

/**
 * Moves behind a value that nests too deep to be scanned, by its brackets and strings alone: it is rejected anyway, and
 * the events behind it must not be.
 */
function skipBalanced(scanner: JsonScanner): void {
  const { bytes, end } = scanner;
  let depth = 0;
  for (let at = scanner.at; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (byte === OBJECT_OPEN || byte === ARRAY_OPEN) depth++;
    else if (byte === OBJECT_CLOSE || byte === ARRAY_CLOSE) {
      depth--;
      if (depth === 0) {
        scanner.at = at + 1;
        return;
      }
    }
  }
  scanner.at = end;
  throw scanner.error('the end of a nested value');
}
