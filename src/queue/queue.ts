import type { CommitGroup } from '../store/store.ts';

/**
 * The durable queue in front of the store. To whoever implements it:
 *
 * - An *entry* is one commit group as the ingest stage formed it, whole: its events in their order, and how many events of
 *   its requests were rejected. It has an id of its own, made here, that no other entry ever has.
 * - `enqueue` resolves when the entry is as durable as the queue server is configured to make it, {@link QueueState.promise}
 *   says how much that is. When it rejects, whether the entry is there is unknown: the publisher sends its events again, and
 *   the store knows the same events again. It does not bound how many calls are under way; it does bound how long each takes.
 * - An entry is handed to a worker at least once, until it has been acknowledged: again when the worker died, was slower than
 *   `claimMs`, or lost its connection. The store counts an entry once however often it is handed out.
 * - `enqueued` counts events, in the same step as the entry is added, and never goes back within an epoch. An epoch is one
 *   memory of the queue server: it ends when the server has lost what it had.
 * - The length is bounded, in bytes: beyond it `enqueue` refuses, and nothing that is in it is dropped.
 *
 * Not its job: decoding, verdicts, deciding when an entry has failed for good.
 */
export interface Queue {
  /**
   * @throws SekaliError `overloaded` when it is full; `queue_unavailable` when the server cannot be reached or does not
   *   take writes, in which case the entry may be there or not
   */
  enqueue(group: CommitGroup): Promise<void>;

  /** Read from the server, now. @throws SekaliError `queue_unavailable` */
  state(): Promise<QueueState>;

  close(): Promise<void>;
}

/**
 * A worker's end of the queue. One connection of its own, for waiting blocks it. When that is lost all calls fail, at once,
 * until it is there again by itself: whoever calls waits a little before the next try.
 */
export interface QueueConsumer {
  /**
   * Entries for this worker: first what it or another worker left unacknowledged for longer than `claimMs`, else new ones;
   * waits until there is one, at most `waitMs`, or until the signal aborts, and then has none. What is not
   * acknowledged yet may come again, to this worker too: it is called while what it gave last is still on its way to the store.
   *
   * @param entriesMax at least 1
   * @throws SekaliError `queue_unavailable`
   */
  claim(options: { entriesMax: number; waitMs: number; signal: AbortSignal }): Promise<Entry[]>;

  /** Ends entries for good. One that has been ended already is passed over. @throws SekaliError `queue_unavailable` */
  ack(entries: readonly Entry[]): Promise<void>;

  close(): Promise<void>;
}

/** One entry as it is handed to a worker. */
export interface Entry {
  /** The place in the queue: for messages and the acknowledgement. */
  readonly place: string;
  /** The id of the entry, 16 bytes, as the store keeps it. */
  readonly id: Uint8Array;
  /** How often it has been handed out, this time included. */
  readonly attempts: number;
  /** The epoch that it was enqueued in. */
  readonly epoch: string;
  /** Events in it, as its producer counted them. */
  readonly events: number;
  /** Its group, encoded: see entry-codec.ts. */
  readonly body: Buffer;
}

export interface QueueState {
  /** As in `queue_type` of the answers. */
  readonly type: string;
  /** A uuid. */
  readonly epoch: string;
  /** Events enqueued ever, in this epoch. */
  readonly enqueued: number;
  /** Entries that are not acknowledged yet, and the bytes that they take. */
  readonly entries: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** What an acknowledgement means on this server, as a sentence for the operator. */
  readonly promise: string;
  /** Whether what is acknowledged survives a crash of the server and of its machine. */
  readonly durable: boolean;
}
