/**
 * What a store holds, as it moves to another one: `sekali export` prints it, `sekali import` reads it.
 *
 * A *transfer* is NDJSON. The first line is the header, the last one counts and sums up all lines before it, so that a
 * file that is cut short or altered is refused. Between them lie, in this order: topics, events by position with the keys that
 * no event of the transfer has among them, conflicts by number, dead letters.
 *
 * The key of an event and the fingerprint of its content are not in its line: they are computed anew, from the same secrets.
 * Keys stay behind when retention removes their events, and then nothing but the key is left: those have lines of their own.
 *
 * Positions rise from event to event. The line of a payload has it as the store does, byte for byte, as its last member;
 * a payload with line breaks, which a line cannot hold, is a text in `payload_text` instead.
 */
import type { Instant } from '../instant.ts';
import type { Conflict, StoredEvent, StoreSecrets, TopicSummary } from '../store/store.ts';

/** Of the format; another one is refused. */
export const TRANSFER_VERSION = 1;

export interface TransferHeader extends StoreSecrets {
  /** Highest position that was ever given. */
  readonly lastPosition: number;
  readonly counters: TransferCounters;
  /** Events that came from a queue, by its epoch. */
  readonly consumed: Readonly<Record<string, number>>;
}

export interface TransferCounters {
  readonly unique_processed: number;
  readonly duplicate_dropped: number;
  readonly conflicts: number;
  readonly rejected: number;
  readonly dead_lettered: number;
}

export interface TransferTopic extends TopicSummary {
  /** Of all events ever stored, and of those that are retired: event_id, source and payload together. */
  readonly bytes: number;
  readonly retired_bytes: number;
  /** Events below this position are retired. */
  readonly retired_before: number;
}

/**
 * How long a key is known: for ever, until a time, or no longer (`forgotten`: its dedup window is over, and the index has
 * dropped it, or a later event has it).
 */
export type KeyLife = 'for ever' | 'forgotten' | { readonly expiresAt: Instant };

export interface TransferEvent extends StoredEvent {
  readonly keyLife: KeyLife;
}

export interface TransferKey {
  /** 32 hexadecimal digits. */
  readonly key: string;
  readonly position: number;
  /** Fingerprint of the content: 16 hexadecimal digits. */
  readonly content: string;
  readonly keyLife: Exclude<KeyLife, 'forgotten'>;
}

export interface TransferDeadLetter {
  readonly entry: string;
  readonly events: number;
  readonly reason: string;
  readonly attempts: number;
  readonly at: Instant;
  /** Base64. */
  readonly body: string;
}

/** How many lines there are of each kind. */
export interface TransferCounts {
  topics: number;
  events: number;
  keys: number;
  conflicts: number;
  dead_letters: number;
}

export function noCounts(): TransferCounts {
  return { topics: 0, events: 0, keys: 0, conflicts: 0, dead_letters: 0 };
}

export type { Conflict as TransferConflict };
