/**
 * What a store holds, as it moves to another one: `sekali export` prints it, `sekali import` reads it.
 *
 * A *transfer* is NDJSON. The first line is the header, the last one counts and sums up all lines before it, so that a
 * file that is cut short or altered is refused. Between them lie, in this order: topics, subscriptions, what is outstanding or dead of
 * them, events by position with the keys that no event of the transfer has among them, conflicts by number, dead letters.
 *
 * The key of an event and the fingerprint of its content are not in its line: they are computed anew, from the same secrets.
 * Keys stay behind when retention removes their events, and then nothing but the key is left: those have lines of their own.
 *
 * Positions rise from event to event. The line of a payload has it as the store does, byte for byte, as its last member;
 * a payload with line breaks, which a line cannot hold, is a text in `payload_text` instead.
 */
import type { Instant } from '../instant.ts';
import type { StoreSecrets } from '../store/store.ts';
import type { Conflict, StoredEvent, TopicSummary } from '../store/store-reader.ts';
import type { SubscriptionDefinition } from '../store/subscription-store.ts';

/** Of the format that is written. Version 1 had no subscriptions; it is read too. A newer one is refused. */
export const TRANSFER_VERSION = 2;

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

export interface TransferSubscription {
  readonly name: string;
  /** Never beyond the last position of the transfer: what gets the positions up to there would be passed over. */
  readonly cursor: number;
  readonly created_at: Instant;
  readonly definition: SubscriptionDefinition;
  /** Of the definition: 32 hexadecimal digits. Whoever has it may change the definition on the other side. */
  readonly version: string;
}

/** An event of a subscription that is outstanding or dead. Of each subscription by position, and never above its cursor. */
export interface TransferDelivery {
  readonly subscription: string;
  readonly position: number;
  readonly topic: string;
  readonly attempts: number;
  /** When it is handed out again, if that is not at once. Leases do not move: what was leased waits, and is due. */
  readonly due_at: Instant | undefined;
  /** Of a dead one. */
  readonly died_at: Instant | undefined;
  readonly reason: string | undefined;
}

/** The reason of what was leased: its consumer can settle it nowhere. */
export const REASON_LEASED = 'it was leased when the store was exported';

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
  subscriptions: number;
  deliveries: number;
  events: number;
  keys: number;
  conflicts: number;
  dead_letters: number;
}

export function noCounts(): TransferCounts {
  return { topics: 0, subscriptions: 0, deliveries: 0, events: 0, keys: 0, conflicts: 0, dead_letters: 0 };
}

export type { Conflict as TransferConflict };
