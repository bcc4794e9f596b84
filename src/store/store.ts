import type { Event, Verdict } from '../event.ts';
import type { Instant } from '../instant.ts';

/**
 * The store keeps each (topic, event_id) exactly once, for ever. To whoever implements it:
 *
 * - `append` is one commit group: it resolves when everything in it is on stable storage, and the events, the keys that
 *   keep them unique and the counters that count them are one transaction. After a crash at any moment all of the group
 *   is there, or none of it; once `append` has resolved, all of it is.
 * - Verdicts are exact over everything ever appended and within the group itself, in the order of its events: of two
 *   equal events the first is `stored`, the second a `duplicate`.
 * - Topics and ids are compared as they are, unit by unit: no case folding, no Unicode normalisation.
 * - Positions rise by commit: whoever has read up to a position finds later events only above it.
 * - `append` is called again only after it has settled. When it rejects, nothing of the group may have been acknowledged,
 *   whether it is there is unknown, and the store must be closed and opened again; opening settles what is there.
 *
 * Not its job: validating events, grouping requests, retrying, deciding what an answer says.
 */
export interface Store extends StoreReader {
  /**
   * Appends one commit group.
   *
   * @returns the receipts of each batch's events, in their order
   * @throws SekaliError `store_unavailable` when it could not be made durable
   */
  append(batches: readonly Batch[]): Promise<Receipt[][]>;

  /** The position that holds this (topic, event_id), or undefined if it was never stored. */
  find(topic: string, eventId: string): Promise<number | undefined>;

  /** Figures of the key lookup, for those who operate it. */
  keyStats(): { keys: number; bytes: number };

  /** Keys the fingerprints of Event.content; the same for as long as the data lives. */
  readonly contentSeed: { high: number; low: number };
}

/** What can be read beside a writer: every answer is one committed state, and a later call never shows an earlier one. */
export interface StoreReader {
  /** One page of events, by position. */
  events(query: EventQuery): Promise<EventPage>;

  /** The event at a position, with the conflicts still kept for its key. */
  eventAt(position: number): Promise<StoredEvent | undefined>;

  /** Highest position stored, 0 when there is none. */
  lastPosition(): Promise<number>;

  /** All topics that have an event, ordered by name, after `after`; at most `limit`. */
  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]>;

  counters(): Promise<Counters>;

  /** Second events of a key with other content, newest first. Bounded: see {@link CONFLICTS_KEPT}. */
  conflicts(query: ConflictQuery): Promise<Conflict[]>;

  close(): Promise<void>;
}

/** The valid events of one request, and how many it held besides. */
export interface Batch {
  readonly events: readonly Event[];
  /** Events of the request that were not valid; counted with the group. */
  readonly rejected: number;
  /** Whether the receipts of duplicates and conflicts must tell when the first event was stored. */
  readonly wantFirstSeen: boolean;
}

export interface Receipt {
  readonly verdict: Exclude<Verdict, 'rejected'>;
  /** Where the event is; of a duplicate or conflict, where the first one is. */
  readonly position: number;
  /** When the first one was stored; given for `stored`, and for the others where the batch wants it. */
  readonly firstSeenAt: Instant | undefined;
}

export interface StoredEvent {
  readonly position: number;
  readonly topic: string;
  readonly event_id: string;
  readonly timestamp: Instant;
  readonly source: string;
  /** JSON text, as it was sent. */
  readonly payload: string;
  readonly processed_at: Instant;
  readonly sequence: number | undefined;
}

export interface EventQuery {
  readonly topic?: string | undefined;
  readonly source?: string | undefined;
  /** Event timestamps from here on. */
  readonly from?: Instant | undefined;
  /** Event timestamps before here. */
  readonly to?: Instant | undefined;
  /** Positions above this one. */
  readonly after?: number | undefined;
  /** Positions below this one. */
  readonly before?: number | undefined;
  readonly order: 'asc' | 'desc';
  /** Matching events to pass over first. */
  readonly offset: number;
  /** Events in the page at most, 1 to 1000. */
  readonly limit: number;
}

/**
 * Characters of payload after which a page ends, however few events it has by then: a thousand of the largest would be
 * more than fits into one answer.
 */
export const PAGE_LENGTH_MAX = 8 * 1024 * 1024;

export interface EventPage {
  readonly events: StoredEvent[];
  /** Cursor of the next page (`after` when ascending, `before` when descending), or undefined at the end. */
  readonly next: number | undefined;
}

export interface TopicSummary {
  readonly topic: string;
  readonly events: number;
  /** Later events of a stored key with the same content. */
  readonly duplicates: number;
  /** Later events of a stored key with other content. */
  readonly conflicts: number;
  readonly first_position: number;
  readonly last_position: number;
  /** When the first and the last event of the topic were stored. */
  readonly first_at: Instant;
  readonly last_at: Instant;
}

/** Counted since the store was made. received = unique_processed + duplicate_dropped. */
export interface Counters {
  readonly received: number;
  readonly unique_processed: number;
  /** Conflicts included. */
  readonly duplicate_dropped: number;
  readonly conflicts: number;
  readonly rejected: number;
}

export interface ConflictQuery {
  readonly topic?: string | undefined;
  readonly event_id?: string | undefined;
  /** Conflicts with a number below this one. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface Conflict {
  /** Rises with each conflict: the cursor of a reader. */
  readonly number: number;
  readonly topic: string;
  readonly event_id: string;
  /** Position of the first event, the one that stays. */
  readonly position: number;
  readonly timestamp: Instant;
  readonly source: string;
  /** JSON text, or undefined when it was over {@link CONFLICT_PAYLOAD_BYTES_MAX}. */
  readonly payload: string | undefined;
  readonly received_at: Instant;
}

/** The newest conflicts are kept for inspection; older ones are only counted. */
export const CONFLICTS_KEPT = 10_000;

/** Bytes of a conflict's payload that is kept; larger ones are counted and listed without it. */
export const CONFLICT_PAYLOAD_BYTES_MAX = 16_384;
