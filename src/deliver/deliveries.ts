import type { DefinitionCondition } from '../store/definition-condition.ts';
import type { StoredEvent } from '../store/store-reader.ts';
import type {
  DeadEvent,
  DeadSelection,
  LeaseRef,
  PutDone,
  Settled,
  Subscription,
  SubscriptionDefinition,
} from '../store/subscription-store.ts';

/**
 * Subscriptions as the edge sees them: named, durable cursors of which any number of consumers take events, each for a time, until it
 * has acknowledged them. Implemented by Subscriptions (subscriptions.ts), where it is, or through a thread (threaded-subscriptions.ts).
 *
 * All but `put`, `get` and `list` throw SekaliError `subscription_unknown` (404) for a name that is not there, and every call
 * `store_unavailable`. Of a start beyond the last position, `put` and `seek` throw `subscription_invalid` (422).
 */
export interface Deliveries {
  /** @returns undefined when the condition does not hold, and nothing was changed */
  put(
    name: string,
    definition: SubscriptionDefinition,
    start: Start,
    condition?: DefinitionCondition,
  ): Promise<PutDone | undefined>;
  get(name: string): Promise<Subscription | undefined>;
  list(page: { after: string | undefined; limit: number }): Promise<Subscription[]>;
  /** @throws SekaliError `subscription_changed` where the condition does not hold */
  remove(name: string, condition?: DefinitionCondition): Promise<void>;

  /**
   * Hands out what there is now, at most `eventsMax`; nothing, when there is nothing.
   *
   * @param options.version of the definition by which they are sent to a webhook; undefined for a consumer
   * @throws SekaliError `subscription_changed` when it has another version, `webhook_conflict` for a consumer when it has a webhook
   */
  fetch(name: string, options: { eventsMax: number; version?: string }): Promise<Fetched>;

  ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]>;
  nack(name: string, leases: readonly LeaseRef[], given: GivenBack): Promise<Settled[]>;
  extend(name: string, leases: readonly LeaseRef[]): Promise<Settled[]>;

  /** With the events, as far as retention has left them. */
  deadLetters(name: string, page: { after: number; limit: number }): Promise<DeadLetterEntry[]>;
  redrive(name: string, which: DeadSelection): Promise<number>;
  discard(name: string, which: DeadSelection): Promise<number>;

  /** @returns how many matching events lie above the new cursor; with `dryRun`, would lie, and nothing is changed */
  seek(name: string, to: Start, options: { dryRun: boolean }): Promise<{ cursor: number; events: number }>;

  /**
   * Events that match and were not handed out yet, and the age in milliseconds of the oldest that is not acked; undefined when all are.
   *
   * @param of as it was read: an event that was handed out since counts here, so that it is either here or outstanding there
   */
  lag(of: LagOf): Promise<{ events: number; ageMs: number | undefined }>;

  close(): Promise<void>;
}

/** What the lag of a subscription depends on. */
export type LagOf = Pick<Subscription, 'topics' | 'cursor' | 'oldestOutstanding'>;

/** How events are given back. */
export interface GivenBack {
  /** Before they are handed out again. When undefined, by the subscription's backoff; not at all, when nobody has tried them. */
  readonly delayMs: number | undefined;
  readonly reason: string | undefined;
  /**
   * `untried`: nobody has begun with them, so that the attempt does not count. `dead`: no attempt can help, so that there is no other.
   * Undefined: they were tried, in vain.
   */
  readonly as?: 'untried' | 'dead' | undefined;
}

/** Where a subscription begins: with the first event that is there, with what comes next, above a position, or from a time on. */
export type Start =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'position'; readonly after: number }
  /** Of storing, in milliseconds since the epoch. */
  | { readonly kind: 'time'; readonly sinceMs: number };

export interface Fetched {
  /** One id for all of a hand-out. */
  readonly lease: string;
  readonly leaseMs: number;
  readonly events: readonly { readonly event: StoredEvent; readonly attempt: number }[];
  /**
   * Of an empty hand-out, when to ask again, in milliseconds from now: 0, when it has got on and there is more to look at; else when
   * something that is outstanding now becomes due. Undefined when nothing is, or something was handed out.
   */
  readonly nextDueInMs: number | undefined;
}

export interface DeadLetterEntry {
  readonly dead: DeadEvent;
  readonly event: StoredEvent | undefined;
}
