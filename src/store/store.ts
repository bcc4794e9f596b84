import type { Fingerprint, Verdict } from '../event.ts';
import type { Instant } from '../instant.ts';
import type { EventPack } from './event-pack.ts';
import type { StoreReader } from './store-reader.ts';

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
   * Appends one commit group. The pack is the caller's again once it has settled.
   *
   * @throws SekaliError `store_unavailable` when it could not be made durable
   */
  append(group: CommitGroup): Promise<Receipts>;

  /** The position that was given to this (topic, event_id), whether or not its event is retired; undefined if it is not known. */
  find(topic: string, eventId: string): Promise<number | undefined>;

  /** Figures of the key lookup, for those who operate it. */
  keyStats(): KeyStats;

  /** What keys and contents are hashed with; the same for as long as the data lives. */
  readonly secrets: StoreSecrets;
}

/** A store that takes what workers bring from a queue: a database server, which many instances share. */
export interface ConsumingStore extends Store {
  /**
   * Appends the group that queue entries hold, and notes the entries as consumed in the same transaction: an entry that comes
   * again is never counted twice. As of `append`: one call at a time.
   *
   * @returns `repeated`: some of the entries had been consumed before, and nothing was stored
   * @throws SekaliError `store_unavailable` when the database cannot be reached or goes away meanwhile: it may be stored or not;
   *   `entry_refused` when the database is there and refuses what the entries hold: nothing was stored
   */
  consume(group: CommitGroup, entries: ConsumedEntries): Promise<Consumed>;

  /** Sets an entry aside that cannot be stored, with the reason, and counts its events as `dead_lettered`. As `consume`. */
  deadLetter(letter: DeadLetter): Promise<Consumed>;
}

export interface ConsumedEntries {
  /** All are of one epoch of the queue: a uuid. */
  readonly epoch: string;
  /** Of 16 bytes each. */
  readonly ids: readonly Uint8Array[];
}

export type Consumed =
  | { readonly kind: 'consumed' }
  /** Ids of the entries, of those given, that had been consumed before. */
  | { readonly kind: 'repeated'; readonly ids: readonly Uint8Array[] };

export interface DeadLetter {
  readonly epoch: string;
  readonly id: Uint8Array;
  /** Events in it, as its producer counted them. */
  readonly events: number;
  readonly reason: string;
  readonly attempts: number;
  readonly body: Uint8Array;
}

/** Told nobody: who knows them can make two events look alike. */
export interface StoreSecrets {
  /** For the keys: {@link KeyHasher}. */
  readonly keySecret: Uint8Array;
  /** For the fingerprints of contents: EventPack.content. */
  readonly contentSeed: Fingerprint;
}

export interface KeyStats {
  readonly keys: number;
  /** Memory of the key index. */
  readonly bytes: number;
  /** Of the keys, those in sealed generations, and the memory that those take. */
  readonly sealedKeys: number;
  readonly sealedBytes: number;
}

/** Requests that are committed together. */
export interface CommitGroup {
  /** The valid events of all of them, in the order of the batches. */
  readonly events: EventPack;
  readonly batches: readonly Batch[];
}

/** One request of a commit group. */
export interface Batch {
  /** Its events in the group's pack: from where the batch before ends, up to this one, not included. */
  readonly end: number;
  /** Events of the request that were not valid; counted with the group. */
  readonly rejected: number;
  /** Whether the receipts of duplicates and conflicts must tell when the first event was stored. */
  readonly wantFirstSeen: boolean;
}

/** What became of the events of a group, in their order. */
export interface Receipts {
  /** A {@link STORED}, {@link DUPLICATE} or {@link CONFLICT} an event. */
  readonly verdicts: Uint8Array;
  /** Where the event is; of a duplicate or conflict, where the first one is. */
  readonly positions: Float64Array;
  /** When the events that are `stored` were. */
  readonly storedAt: Instant;
  /** When the first event was stored, of the duplicates and conflicts of batches that want it; absent if it is retired. */
  readonly firstSeenAt: ReadonlyMap<number, Instant>;
}

export const STORED = 0;
export const DUPLICATE = 1;
export const CONFLICT = 2;

/** The verdict of each number in {@link Receipts.verdicts}. */
export const VERDICTS = ['stored', 'duplicate', 'conflict'] as const satisfies readonly Verdict[];
