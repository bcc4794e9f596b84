import { COLON, COMMA, OBJECT_CLOSE, OBJECT_OPEN, QUOTE, SPACE } from '../content/ascii.ts';
import { type JsonScanner, TooDeepError } from '../content/json-scanner.ts';
import {
  checkName,
  type EventLimits,
  MEMBERS,
  type Member,
  NAME_LENGTH_MAX,
  type Rejection,
} from '../event.ts';
import { didYouMean } from '../nearest.ts';
import type { KeyHasher } from '../store/dedup/key.ts';
import { type EventPack, PackedFacts } from '../store/event-pack.ts';
import { ALL_REQUIRED, BIT, plainMember } from './event-members.ts';
import { NameSpan } from './name-span.ts';
import { scanInstant } from './scan-instant.ts';
import { skipBalanced } from './skip-balanced.ts';
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
  readonly #facts = new PackedFacts();
  #payloadStart = 0;
  #payloadEnd = 0;

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
    const facts = this.#facts;
    const { bytes, bytesUsed: start } = pack;
    const topic = this.#topic!;
    facts.topic = this.#topics.numberIn(pack, topic);
    facts.idBytes = this.#eventId.copyTo(bytes, start);
    facts.sourceBytes = this.#source.copyTo(bytes, start + facts.idBytes);
    const nameBytes = facts.idBytes + facts.sourceBytes;
    this.scanner.bytes.copy(bytes, start + nameBytes, this.#payloadStart, this.#payloadEnd);
    facts.recordBytes = nameBytes + this.#payloadEnd - this.#payloadStart;
    pack.add(facts, this.#hasher.hashId(topic.state, bytes, start, start + facts.idBytes));
  }

  #reset(): void {
    this.#seen = 0;
    this.#rejection = undefined;
    this.#facts.sequence = undefined;
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
    const member = plainMember(scanner) ?? MEMBERS.find((known) => known === scanner.text());
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
      this.#facts.timestamp = timestamp;
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
    this.#facts.contentHigh = scanner.high;
    this.#facts.contentLow = scanner.low;
  }

  #readSequence(): void {
    const { scanner } = this;
    scanner.peek();
    const start = scanner.at;
    scanner.value(this.#limits.depthMax - 1);
    const text = scanner.bytes.toString('latin1', start, Math.min(scanner.at, start + 17));
    const sequence = Number(text);
    if (/^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(sequence)) this.#facts.sequence = sequence;
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
