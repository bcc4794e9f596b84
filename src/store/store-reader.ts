import type { Instant } from '../instant.ts';

/** What can be read beside a writer: every answer is one committed state, and a later call never shows an earlier one. */
export interface StoreReader {
  /** One page of events, by position. */
  events(query: EventQuery): Promise<EventPage>;

  /** The events of a page as text, for those who pass them on. Where it ends by its length, it may end elsewhere than `events`. */
  printed(query: PrintedQuery): Promise<PrintedPage>;

  /** The event at a position, unless it is retired. */
  eventAt(position: number): Promise<StoredEvent | undefined>;

  /** The events at these positions, each undefined where there is none, or none any more. At most 1000. */
  eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]>;

  /** How many events match, above a position: counted, without reading them. */
  countEvents(query: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): Promise<number>;

  /**
   * The events above a position that have a sequence, and how far that is looked at. One call is short, however much there is to pass
   * over: it may end early, with few events or none, and then {@link SequencePage.through} is where to go on.
   */
  sequences(query: SequenceQuery): Promise<SequencePage>;

  /** Highest position of what was stored before a time, in milliseconds since the epoch; 0 when there is none. */
  positionBefore(timeMs: number): Promise<number>;

  /**
   * Up to here everything is settled: the position of the last event, or one above it that a commit which failed has left free in a store
   * with many writers. 0 when nothing was ever stored.
   */
  lastPosition(): Promise<number>;

  /** All topics that have an event, ordered by name, after `after`; at most `limit`. */
  topics(page: { after: string | undefined; limit: number }): Promise<TopicSummary[]>;

  counters(): Promise<Counters>;

  /** Second events of a key with other content, newest first. Bounded: see {@link CONFLICTS_KEPT}. */
  conflicts(query: ConflictQuery): Promise<Conflict[]>;

  /** Whoever holds readers back, where a writer that is slow to commit can; undefined while nobody does. */
  stall?(): Promise<ReaderStall | undefined>;

  close(): Promise<void>;
}

/** Tells those who wait that there may be something new: never what, and now and then for nothing. */
export interface StoredSignal {
  /** @returns what ends it */
  onStored(listener: () => void): () => void;

  close?(): Promise<void>;
}

export interface ReaderStall {
  /** Nothing above it is shown. */
  readonly position: number;
  /** For how long by now. */
  readonly seconds: number;
  /** Who it is, for the operator. */
  readonly by: string;
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
  /** Of the topics that match one of these patterns (topic-filter.ts), where there is no `topic`. */
  readonly patterns?: readonly string[] | undefined;
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
  /** Length of payloads after which the page ends; {@link PAGE_LENGTH_MAX} when absent. */
  readonly lengthMax?: number | undefined;
  /**
   * Events to look at, whether or not they match: then the page ends, with a cursor to go on from. A store may look at some more, and
   * at all that it takes to pass over the offset, which is not in the cursor. {@link LOOK_MAX} when absent.
   */
  readonly lookMax?: number | undefined;
}

/**
 * How events are printed: as `items` of a JSON array, the JSON of each with a comma behind it, the payload as it was sent; as `lines`,
 * each on one of its own; as `frames` of Server-Sent Events (HTML Standard, section 9.2), whose `id` is the position, and `data` that line.
 */
export type Printing = 'items' | 'lines' | 'frames';

export interface PrintedQuery extends EventQuery {
  readonly printing: Printing;
}

export interface SequenceQuery extends Pick<EventQuery, 'topic' | 'source'> {
  /** Positions above this one. */
  readonly after: number;
  /** Events in the page at most, 1 to 10,000. */
  readonly limit: number;
}

/** What an event with a sequence tells of its publisher, the source of the topic. */
export interface SequencedEvent extends Pick<StoredEvent, 'position' | 'topic' | 'source' | 'processed_at'> {
  readonly sequence: number;
}

export interface SequencePage {
  /** By position. */
  readonly events: SequencedEvent[];
  /** No event up to here is left out, whether or not one matched; at least `after`. */
  readonly through: number;
  /** Nothing more was stored when the page was read. */
  readonly isAtEnd: boolean;
}

/**
 * Events that one page looks at. A filter that next to nothing matches (a source, a time, a pattern) would go through all that is stored,
 * in one statement or on one thread, whether or not anybody still waits for it. As many take a tenth of a second or two. What an offset
 * passes over does not count.
 */
export const LOOK_MAX = 100_000;

/**
 * Length of payloads after which a page ends (characters, or bytes of UTF-8 where a store has nothing else at hand), however few events
 * it has by then: a thousand of the largest would be more than fits into one answer.
 */
export const PAGE_LENGTH_MAX = 8 * 1024 * 1024;

export interface EventPage {
  readonly events: StoredEvent[];
  /**
   * Cursor of the next page (`after` when ascending, `before` when descending), or undefined when nothing more matches. It alone tells
   * whether to go on: a page may have fewer events than its limit, or none, and a next one.
   */
  readonly next: number | undefined;
}

/**
 * A page of events as text, in bytes, for those who pass events on and hardly look at them. It crosses from thread to thread without
 * being copied or looked at.
 *
 * Why not objects: with ten subscribers, pages that crossed as objects and were printed on the other side cost 5.3 µs an event, more than
 * storing it, and half of that on the thread that answers publishers. This way it is 1.4 µs, all of it on the thread that reads; what is
 * left on the other one is the kernel's copying to ten sockets.
 */
export interface PrintedPage {
  /** The events back to back, in UTF-8. */
  readonly text: Uint8Array;
  /** Where each event ends in `text`. */
  readonly ends: Uint32Array;
  readonly positions: Float64Array;
  /** Of each event, the number of its topic in `topics`. */
  readonly topicOf: Uint32Array;
  readonly topics: readonly string[];
  /** Where the JSON of each event's source begins and ends: two numbers an event. */
  readonly sources: Uint32Array;
  /** As of an EventPage. */
  readonly next: number | undefined;
}

export interface TopicSummary {
  readonly topic: string;
  /** Ever stored. */
  readonly events: number;
  /** Those of them that retention has removed. */
  readonly retired: number;
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

/** Counted since the store was made. received = unique_processed + duplicate_dropped + dead_lettered. */
export interface Counters {
  readonly received: number;
  readonly unique_processed: number;
  /** Conflicts included. */
  readonly duplicate_dropped: number;
  readonly conflicts: number;
  readonly rejected: number;
  /** Events of queue entries that could not be stored, and were set aside. */
  readonly dead_lettered: number;
  /** Of `received`, the events that came from a queue, by its epoch. */
  readonly consumed: Readonly<Record<string, number>>;
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
