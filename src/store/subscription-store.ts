import type { DefinitionCondition } from './definition-condition.ts';

/**
 * What is kept of subscriptions: their definitions, their cursors, and of each event that was handed out and is not
 * acknowledged, who has it and for how long. To whoever implements it:
 *
 * - An event of a subscription is in one of four states. *Pending*: it lies above the cursor. *Outstanding*: at or below the cursor,
 *   with a row here; it is *leased* to a consumer, or *waits* to be handed out again. *Dead*: it has a row that says so. *Acked*: at or
 *   below the cursor, and without a row. So acknowledging is removing, and what is kept is bounded by what is under way.
 * - A *lease* is an id that no other hand-out ever has. Whoever names it may end it, until its time is over or the event was handed out
 *   again: anything later is stale and refused, and changes nothing.
 * - A *version* is the id of a definition as it was put once: no other put, of whatever name and definition, ever has it, also where older
 *   data was put back.
 * - Every call is one transaction, durable when it resolves. Calls of one subscription may come from many instances at once.
 * - Time is that of the store, one clock for all instances.
 *
 * Not its job: which events match, who gets which, how long anybody waits; deliver/subscriptions.ts decides that.
 */
export interface SubscriptionStore {
  /**
   * Makes a subscription that begins above a position, or gives one that is there another definition: its cursor and what is
   * outstanding stay. Where it is to be done on a condition, that is looked at in the same transaction. It waits for a hand-out that is at
   * work: once it has resolved, nothing is handed out by the definition before.
   *
   * @returns undefined when the condition does not hold, and nothing was changed
   */
  put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition?: DefinitionCondition,
  ): Promise<PutDone | undefined>;

  get(name: string): Promise<Subscription | undefined>;

  /** What it was last put with, and nothing else: whatever is outstanding, it takes the same time. */
  definition(name: string): Promise<SubscriptionDefinition | undefined>;

  /** Ordered by name, after `after`; at most `limit`. */
  list(page: { after: string | undefined; limit: number }): Promise<Subscription[]>;

  /** With all its rows. On a condition, as a put; where there is nothing, no condition matters. */
  remove(name: string, condition?: DefinitionCondition): Promise<Removed>;

  /**
   * Works on one subscription while nobody else hands out of it: acknowledgements go on meanwhile. All or nothing.
   *
   * @returns undefined when there is none of this name
   */
  handOut<T extends {}>(name: string, work: (hand: HandOut) => Promise<T>): Promise<T | undefined>;

  /** Ends leases. @returns for each, in order, what became of it */
  ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]>;

  /**
   * Gives leased events back.
   *
   * @param decide called for each lease that holds, with its row: when it is handed out again, or why never
   */
  nack(name: string, leases: readonly LeaseRef[], decide: (row: Outstanding) => Verdict): Promise<Settled[]>;

  /** Lets leases that hold run for so long from now. */
  extend(name: string, leases: readonly LeaseRef[], leaseMs: number): Promise<Settled[]>;

  /** By position, after `after`; at most `limit`. */
  deadLetters(name: string, page: { after: number; limit: number }): Promise<DeadEvent[]>;

  /** Dead events wait again, from now on and as if they had never been tried; those removed are acked. @returns how many */
  redrive(name: string, which: DeadSelection): Promise<number>;
  discard(name: string, which: DeadSelection): Promise<number>;

  /**
   * Moves the cursor, while nobody hands out. What is outstanding is given up, and its leases are stale. Dead events at or below the
   * cursor stay; those above it are pending again, as is everything there, and their rows go: so no event is in two states.
   */
  seek(name: string, cursor: number): Promise<boolean>;

  close(): Promise<void>;
}

export interface SubscriptionDefinition {
  /** Patterns of topics (topic-filter.ts), at least one. */
  readonly topics: readonly string[];
  /** Time for a consumer to acknowledge, in milliseconds: 1 s to 12 h. */
  readonly ackWaitMs: number;
  /** Times that an event is handed out before it is dead: 1 to 1000; 0: without an end. */
  readonly attemptsMax: number;
  /** Events outstanding at most: 1 to 100,000. Beyond it nothing new is handed out. */
  readonly inFlightMax: number;
  /** Before an event that was given back is handed out again: doubled with each attempt from the first to the last, in milliseconds. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
  /** Of a topic, no event is handed out while an earlier one is outstanding or in the same hand-out. */
  readonly ordered: boolean;
  /** Where its events are sent to; without one, consumers fetch them. */
  readonly webhook?: WebhookDefinition;
}

export interface WebhookDefinition {
  readonly url: string;
  /** Requests of one instance at one time: 1 to 64. */
  readonly concurrency: number;
  /** Before each time that an event is sent again, 1 to 20 of them; the last one holds for all after it. */
  readonly retryMs: readonly number[];
  /** What requests are signed with, the newest first. Of one that was replaced, until when, in milliseconds since the epoch. */
  readonly secrets: readonly { readonly secret: string; readonly untilMs: number | null }[];
  /** Why nothing is sent any more; null while it is. */
  readonly disabledReason: string | null;
}

/** What came of a removal. `unknown`: there was none of the name; `changed`: the condition does not hold, and nothing was changed. */
export type Removed = 'removed' | 'unknown' | 'changed';

export interface Subscription extends SubscriptionDefinition {
  readonly name: string;
  /** Of its definition: 32 hexadecimal digits. */
  readonly version: string;
  /** Everything at or below it was handed out, or did not match. */
  readonly cursor: number;
  readonly leased: number;
  readonly waiting: number;
  readonly dead: number;
  /** Lowest position that is outstanding, if any is. */
  readonly oldestOutstanding: number | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
}

/** What came of a put: the subscription as the put has left it, whatever others have made of it since. */
export interface PutDone extends Subscription {
  /** It was not there. */
  readonly created: boolean;
}

/** An event that was handed out and is not acknowledged. */
export interface Outstanding {
  readonly position: number;
  readonly topic: string;
  /** How often it has been handed out. */
  readonly attempts: number;
}

export interface LeaseRef {
  readonly position: number;
  /** 32 hexadecimal digits. */
  readonly lease: string;
}

/** `done`: it counted. Else why it did not: the lease's time was over, the event was handed out again (or settled before), or never had it. */
export type Settled = 'done' | 'lease_expired' | 'lease_stale';

export type Verdict =
  | {
      readonly kind: 'wait';
      readonly delayMs: number;
      readonly reason: string | undefined;
      /** How often it counts as handed out from now on; as before when undefined. */
      readonly attempts?: number;
    }
  | { readonly kind: 'dead'; readonly reason: string };

export interface DeadEvent extends Outstanding {
  readonly reason: string;
  readonly diedAtMs: number;
}

export type DeadSelection =
  | { readonly positions: readonly number[] }
  /** Of this topic alone; of all, when it is undefined. */
  | { readonly topic: string | undefined };

/**
 * What a hand-out does. All of it counts once the work has resolved. It reads first and writes then: whether a read would show what the
 * same hand-out has written is not promised.
 *
 * In an ordered subscription only the lowest outstanding event of each topic can be due: the others wait behind it, however long.
 */
export interface HandOut {
  readonly subscription: Subscription;
  /** Of the store. */
  readonly nowMs: number;

  /**
   * Those whose lease is over (at its very end), or who have waited long enough. Who has been due for longest comes first, so that an event
   * that is given back at once, again and again, keeps nobody waiting; of those due since the same time, by position. Nobody can settle
   * them any more before the hand-out has ended.
   */
  due(
    limit: number,
  ): Promise<(Outstanding & { readonly wasLeased: boolean; readonly reason: string | undefined })[]>;

  /** When the next one becomes due, in milliseconds since the epoch, or did, if one is; undefined when none is outstanding. */
  nextDueMs(): Promise<number | undefined>;

  /** Topics of which something is outstanding, with the lowest such position of each. */
  busyTopics(): Promise<ReadonlyMap<string, number>>;

  /** Leases events under one id, new ones and those that were due: their attempts are those given. */
  lease(events: readonly Outstanding[], lease: string, leaseMs: number): Promise<void>;

  /** New events that wait behind an earlier one of their topic, and were never handed out: 0 attempts, and due as soon as none is before them. */
  hold(events: readonly { readonly position: number; readonly topic: string }[]): Promise<void>;

  /** Sets due events aside. */
  bury(events: readonly { readonly position: number; readonly reason: string }[]): Promise<void>;

  /** Everything up to here has been handed out, or does not match. */
  advance(cursor: number): Promise<void>;
}
