import { type Clock, systemClock } from '../clock.ts';
import { SekaliError } from '../errors.ts';
import type { DefinitionCondition } from '../store/definition-condition.ts';
import type { StoredEvent } from '../store/store-reader.ts';
import type {
  DeadSelection,
  LeaseRef,
  PutDone,
  Settled,
  Subscription,
  SubscriptionDefinition,
  SubscriptionStore,
} from '../store/subscription-store.ts';
import { verdictOnGivenBack } from './attempts.ts';
import type { DeadLetterEntry, Deliveries, Fetched, GivenBack, LagOf, Start } from './deliveries.ts';
import { type DeliveryReader, topicsOf } from './delivery-reader.ts';
import { handOutOnce } from './hand-out.ts';
import { startPosition } from './start-position.ts';
import { definitionReplaced, subscriptionChanged } from './subscription-changed.ts';
import { refuseFetching } from './webhooks/turning.ts';

export interface SubscriptionsOptions {
  readonly store: SubscriptionStore;
  /** Stays open when the subscriptions are closed. */
  readonly reader: DeliveryReader;
  /** For the age of events alone: leases go by the clock of the store. */
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/**
 * Who gets what, and when: the rules of subscriptions, once for all stores. An event of a subscription is pending, outstanding (leased, or
 * waiting), dead or acked, in exactly one of them (store/subscription-store.ts):
 *
 *   pending → (fetch) → leased → (ack) → acked
 *   pending → (fetch; ordered, and behind another of its topic) → waiting
 *   leased → (nack) → waiting → (fetch, when its time has come) → leased
 *   leased → (nack, for which no attempt can help) → dead
 *   leased → (fetch, when the lease is over) → leased
 *   leased or waiting → (tried often enough, or retired) → dead → (redrive) → waiting, or (discard) → acked
 *   any → (seek) → pending above the cursor; acked at or below it, unless it is dead
 *
 * A lease that runs out counts as a failed attempt, and is noticed by the next fetch. Delivery is at least once: what was not acknowledged
 * in its time is handed out again, and only that.
 */
export class Subscriptions implements Deliveries {
  readonly #store: SubscriptionStore;
  readonly #reader: DeliveryReader;
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor({ store, reader, clock = systemClock, random = Math.random }: SubscriptionsOptions) {
    this.#store = store;
    this.#reader = reader;
    this.#clock = clock;
    this.#random = random;
  }

  async put(
    name: string,
    definition: SubscriptionDefinition,
    start: Start,
    condition: DefinitionCondition = {},
  ): Promise<PutDone | undefined> {
    const startAfter = await startPosition(this.#reader, start, 'start');
    return await this.#store.put(name, definition, startAfter, condition);
  }

  async get(name: string): Promise<Subscription | undefined> {
    return await this.#store.get(name);
  }

  async list(page: { after: string | undefined; limit: number }): Promise<Subscription[]> {
    return await this.#store.list(page);
  }

  async remove(name: string, condition: DefinitionCondition = {}): Promise<void> {
    const removed = await this.#store.remove(name, condition);
    if (removed === 'unknown') throw unknown(name);
    if (removed === 'changed') throw subscriptionChanged(name);
  }

  async fetch(
    name: string,
    { eventsMax, version }: { eventsMax: number; version?: string },
  ): Promise<Fetched> {
    const fetched = await this.#store.handOut(name, async (hand) => {
      if (version === undefined) refuseFetching(name, hand.subscription);
      else if (version !== hand.subscription.version) throw definitionReplaced(name);
      return await handOutOnce(hand, this.#reader, eventsMax);
    });
    if (fetched === undefined) throw unknown(name);
    return fetched;
  }

  async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    const settled = await this.#store.ack(name, leases);
    // Most of the time one of them counted, and so the subscription is there: no need to ask.
    if (!settled.includes('done')) await this.#definition(name);
    return settled;
  }

  async nack(name: string, leases: readonly LeaseRef[], given: GivenBack): Promise<Settled[]> {
    const limits = await this.#definition(name);
    return await this.#store.nack(name, leases, (row) =>
      verdictOnGivenBack(row, limits, given, this.#random),
    );
  }

  async extend(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    const { ackWaitMs } = await this.#definition(name);
    return await this.#store.extend(name, leases, ackWaitMs);
  }

  async deadLetters(name: string, page: { after: number; limit: number }): Promise<DeadLetterEntry[]> {
    const dead = await this.#store.deadLetters(name, page);
    if (dead.length === 0) await this.#definition(name);
    const events = await this.#reader.eventsAt(dead.map(({ position }) => position));
    return dead.map((one, n) => ({ dead: one, event: events[n] }));
  }

  async redrive(name: string, which: DeadSelection): Promise<number> {
    const count = await this.#store.redrive(name, which);
    if (count === 0) await this.#definition(name);
    return count;
  }

  async discard(name: string, which: DeadSelection): Promise<number> {
    const count = await this.#store.discard(name, which);
    if (count === 0) await this.#definition(name);
    return count;
  }

  async seek(
    name: string,
    to: Start,
    { dryRun }: { dryRun: boolean },
  ): Promise<{ cursor: number; events: number }> {
    const { topics } = await this.#definition(name);
    const cursor = await startPosition(this.#reader, to, 'to');
    if (!dryRun && !(await this.#store.seek(name, cursor))) throw unknown(name);
    return { cursor, events: await this.#reader.countEvents({ ...topicsOf(topics), after: cursor }) };
  }

  async lag(of: LagOf): Promise<{ events: number; ageMs: number | undefined }> {
    const events = await this.#reader.countEvents({ ...topicsOf(of.topics), after: of.cursor });
    const oldest =
      (await this.#oldestOutstanding(of)) ?? (events > 0 ? await this.#firstPending(of) : undefined);
    if (oldest === undefined) return { events, ageMs: undefined };
    return {
      events,
      ageMs: Math.max(0, Math.round(this.#clock.nowMs() - Number(oldest.processed_at) / 1000)),
    };
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #definition(name: string): Promise<SubscriptionDefinition> {
    const found = await this.#store.definition(name);
    if (found === undefined) throw unknown(name);
    return found;
  }

  async #oldestOutstanding({ oldestOutstanding }: LagOf): Promise<StoredEvent | undefined> {
    return oldestOutstanding === undefined ? undefined : await this.#reader.eventAt(oldestOutstanding);
  }

  async #firstPending({ topics, cursor }: LagOf): Promise<StoredEvent | undefined> {
    const query = { ...topicsOf(topics), order: 'asc', offset: 0, limit: 1 } as const;
    for (let after: number | undefined = cursor; after !== undefined; ) {
      const page = await this.#reader.events({ ...query, after });
      if (page.events[0] !== undefined) return page.events[0];
      after = page.next;
    }
    return undefined;
  }
}

function unknown(name: string): SekaliError {
  return new SekaliError(
    'subscription_unknown',
    `there is no subscription of the name ${JSON.stringify(name)}`,
  );
}
