import type { Instant } from './instant.ts';

/** One event, accepted: every rule of PROTOCOL.md ("An event") holds for it. */
export interface Event {
  readonly topic: string;
  /** Unique within its topic, chosen by the publisher before its first attempt. */
  readonly event_id: string;
  readonly timestamp: Instant;
  readonly source: string;
  /** The JSON text of the payload object, byte for byte as it was sent. */
  readonly payload: string;
  /** Fingerprint of the payload's content: see content/json-scanner.ts. */
  readonly content: Fingerprint;
  /** The publisher's own counter for this (topic, source), if it keeps one. */
  readonly sequence: number | undefined;
}

/**
 * 64 bits that are equal for equal content and, but for chance (one in 2^64), differ for different content. Keyed with
 * the secret of the data directory; it means nothing outside of it.
 */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

/** What became of one event. `duplicate` is a success; `rejected` events never reach a store. */
export type Verdict = 'stored' | 'duplicate' | 'conflict' | 'rejected';

/** Why an event is not valid. `code` is stable; `detail` names the member and the rule. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly detail: string;
}

export type RejectionCode =
  | 'json_invalid'
  | 'utf8_invalid'
  | 'not_an_object'
  | 'member_unknown'
  | 'member_missing'
  | 'member_repeated'
  | 'type_invalid'
  | 'text_empty'
  | 'text_too_long'
  | 'text_blank'
  | 'text_control'
  | 'text_surrogate'
  | 'timestamp_invalid'
  | 'sequence_invalid'
  | 'event_too_large'
  | 'too_deep';

export const MEMBERS = ['topic', 'event_id', 'timestamp', 'source', 'payload', 'sequence'] as const;
export type Member = (typeof MEMBERS)[number];

/** Characters (Unicode code points) that a topic, an event_id or a source may have at most. */
export const NAME_LENGTH_MAX = 255;

/** Characters that a timestamp may have: no spelling needs half of them, but for digits beyond the microsecond. */
export const TIMESTAMP_LENGTH_MAX = 128;

/** The bounds that an operator can set; config.ts holds the defaults. */
export interface EventLimits {
  /** Bytes of one event's JSON text, white space around it not counted. */
  readonly eventBytesMax: number;
  /** How deep arrays and objects may nest in an event; the event itself is level 1. */
  readonly depthMax: number;
  /** Events in one request. */
  readonly eventsMax: number;
}

// Cc of the Unicode character database: C0, DEL and C1.
const CONTROL = /\p{Cc}/u;

/**
 * The rule for a topic, an event_id and a source: 1 to 255 characters, not blank, no control characters, no lone
 * surrogates (two different ones would become the same UTF-8).
 */
export function checkName(member: string, value: string): Rejection | undefined {
  if (value.length === 0) return { code: 'text_empty', detail: `${member} must not be empty` };
  // A code point has one or two UTF-16 units, so only a length in between needs the count.
  if (
    value.length > NAME_LENGTH_MAX &&
    (value.length > 2 * NAME_LENGTH_MAX || [...value].length > NAME_LENGTH_MAX)
  ) {
    return { code: 'text_too_long', detail: `${member} must have at most ${NAME_LENGTH_MAX} characters` };
  }
  if (CONTROL.test(value)) {
    return { code: 'text_control', detail: `${member} must not contain control characters` };
  }
  if (value.trim() === '') return { code: 'text_blank', detail: `${member} must not be blank` };
  if (!value.isWellFormed()) {
    return { code: 'text_surrogate', detail: `${member} must not contain a lone surrogate` };
  }
  return undefined;
}
