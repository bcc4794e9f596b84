import { checkName, type Event, type EventLimits, MEMBERS, type Member, type Rejection } from '../event.ts';
import type { Instant } from '../instant.ts';
import { didYouMean } from '../nearest.ts';
import {
  ARRAY_CLOSE,
  ARRAY_OPEN,
  BACKSLASH,
  COLON,
  COMMA,
  OBJECT_CLOSE,
  OBJECT_OPEN,
  QUOTE,
} from './ascii.ts';
import { type JsonScanner, TooDeepError } from './json-scanner.ts';
import { scanInstant } from './scan-instant.ts';

/** An event that is not valid, with its `event_id` where that could be read. */
export interface RejectedEvent {
  readonly rejection: Rejection;
  readonly event_id: string | undefined;
}

/**
 * Accepts events: reads one at a time from a JSON text and holds it against the rules of PROTOCOL.md ("An event").
 * A broken rule rejects that event alone and the scan goes on behind it; broken JSON throws, since where the next
 * event would begin is then unknown.
 */
export class EventScanner {
  readonly scanner: JsonScanner;
  readonly #limits: EventLimits;

  #seen = 0;
  #rejection: Rejection | undefined;
  #topic = '';
  #eventId = '';
  #source = '';
  #timestamp: Instant = 0;
  #payloadStart = 0;
  #payloadEnd = 0;
  #contentHigh = 0;
  #contentLow = 0;
  #sequence: number | undefined;

  constructor(scanner: JsonScanner, limits: EventLimits) {
    this.scanner = scanner;
    this.#limits = limits;
  }

  /**
   * Reads the value that the scanner stands at as an event.
   *
   * @throws JsonSyntaxError
   */
  next(): Event | RejectedEvent {
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
    if (this.#rejection === undefined) this.#requireMembers();
    if (this.#rejection !== undefined) {
      // Empty also where it was no string, or too long to be built.
      const eventId = this.#seen & BIT.event_id ? this.#eventId : '';
      return { rejection: this.#rejection, event_id: eventId || undefined };
    }
    return {
      topic: this.#topic,
      event_id: this.#eventId,
      timestamp: this.#timestamp,
      source: this.#source,
      payload: scanner.bytes.toString('utf8', this.#payloadStart, this.#payloadEnd),
      content: { high: this.#contentHigh, low: this.#contentLow },
      sequence: this.#sequence,
    };
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
        this.#topic = this.#name('topic');
        break;
      case 'event_id':
        this.#eventId = this.#name('event_id');
        break;
      case 'source':
        this.#source = this.#name('source');
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

  #name(member: 'topic' | 'event_id' | 'source'): string {
    const { scanner } = this;
    if (scanner.peek() !== QUOTE) {
      this.#wrongType(member, 'a string');
      return '';
    }
    scanner.string();
    const length = scanner.textEnd - scanner.textStart;
    // Longer than any valid name, however it is spelled: not worth building.
    if (length > 12 * 255) {
      this.#reject('text_too_long', `${member} must have at most 255 characters`);
      return '';
    }
    const text = scanner.text();
    const obviouslyGood = scanner.textPlain && length > 0 && length <= 255 && text.charCodeAt(0) > 0x20;
    const rejection = obviouslyGood ? undefined : checkName(member, text);
    if (rejection) this.#reject(rejection.code, rejection.detail);
    return text;
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

const BIT = {
  topic: 1,
  event_id: 2,
  timestamp: 4,
  source: 8,
  payload: 16,
  sequence: 32,
} as const satisfies Record<Member, number>;

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
