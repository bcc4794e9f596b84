import { AssertionError } from 'node:assert/strict';
import type {
  DeadEvent,
  LeaseRef,
  Outstanding,
  Subscription,
  SubscriptionDefinition,
  SubscriptionStore,
  Verdict,
} from '../../../src/store/subscription-store.ts';
import { until } from '../../support/until.ts';

/** What a case of the contract is given. */
export interface SubscriptionHarness {
  // Properties, not methods: the cases take them off the harness.
  readonly store: SubscriptionStore;
  /** Of another instance on the same data, where there can be one; else the same store. */
  readonly other: SubscriptionStore;
  /** Closes all stores, and opens one on the data that is there. */
  readonly reopen: () => Promise<SubscriptionStore>;
}

/** One promise of the port, as a sentence and its proof. Data, not tests, so that broken stores can be held against it. */
export interface SubscriptionCase {
  readonly name: string;
  readonly run: (harness: SubscriptionHarness) => Promise<void>;
}

/** A lease that is over soon. */
export const SHORT_MS = 50;
/** One that no case sees the end of. */
export const LONG_MS = 3_600_000;

export const DEFINITION: SubscriptionDefinition = {
  topics: ['orders.>'],
  ackWaitMs: 30_000,
  attemptsMax: 5,
  inFlightMax: 1000,
  backoff: { firstMs: 1000, maxMs: 60_000 },
  ordered: false,
};

/** A lease of its own for each number. */
export function leaseOf(n: number): string {
  return n.toString(16).padStart(32, '0');
}

export function refsOf(lease: string, ...positions: number[]): LeaseRef[] {
  return positions.map((position) => ({ position, lease }));
}

export function rowsOf(...positions: number[]): Outstanding[] {
  return positions.map((position) => ({ position, topic: 'orders.eu', attempts: 1 }));
}

/** Decides of all that is given back that it waits. */
export function waits(delayMs: number, reason?: string): () => Verdict {
  return () => ({ kind: 'wait', delayMs, reason });
}

export function dies(reason: string): () => Verdict {
  return () => ({ kind: 'dead', reason });
}

/** Decides of nothing: no lease holds. */
export function holdsNone(): Verdict {
  throw new AssertionError({ message: 'no lease holds, and something is to be decided' });
}

/** Hands out these events, as if they were new, and moves the cursor to the last of them. */
export async function lease(
  store: SubscriptionStore,
  name: string,
  rows: readonly Outstanding[],
  { as = leaseOf(1), forMs = LONG_MS }: { as?: string; forMs?: number } = {},
): Promise<void> {
  await store.handOut(name, async (hand) => {
    await hand.lease(rows, as, forMs);
    await hand.advance(Math.max(hand.subscription.cursor, ...rows.map(({ position }) => position)));
    return {};
  });
}

/** What is due now, which stays as it is. */
export async function dueNow(
  store: SubscriptionStore,
  name: string,
  limit = 1000,
): Promise<(Outstanding & { readonly wasLeased: boolean; readonly reason: string | undefined })[]> {
  return (await store.handOut(name, async (hand) => await hand.due(limit))) ?? [];
}

export async function dueCount(store: SubscriptionStore, name: string, count: number): Promise<number[]> {
  return await until(`${count} events are due`, async () => {
    const positions = (await dueNow(store, name)).map(({ position }) => position);
    return positions.length === count && positions;
  });
}

export async function countsOf(
  store: SubscriptionStore,
  name: string,
): Promise<Pick<Subscription, 'cursor' | 'leased' | 'waiting' | 'dead' | 'oldestOutstanding'>> {
  const { cursor, leased, waiting, dead, oldestOutstanding } = (await store.get(name))!;
  return { cursor, leased, waiting, dead, oldestOutstanding };
}

/** Hands out these events and has each of them die. */
export async function kill(
  store: SubscriptionStore,
  name: string,
  rows: readonly Outstanding[],
): Promise<void> {
  const as = leaseOf(0xdead);
  await lease(store, name, rows, { as });
  const refs = refsOf(as, ...rows.map(({ position }) => position));
  await store.nack(name, refs, ({ position }) => ({ kind: 'dead', reason: `poison ${position}` }));
}

export async function deadOf(store: SubscriptionStore, name: string): Promise<DeadEvent[]> {
  return await store.deadLetters(name, { after: 0, limit: 1000 });
}

/** Fails, where it would else hang, when something waits for what it must not wait for. */
export async function soon<T>(what: string, promise: Promise<T>, withinMs = 10_000): Promise<T> {
  const waiting = Promise.withResolvers<never>();
  const message = `waited ${withinMs} ms in vain: ${what}`;
  const late = setTimeout(() => waiting.reject(new AssertionError({ message })), withinMs);
  try {
    return await Promise.race([promise, waiting.promise]);
  } finally {
    clearTimeout(late);
  }
}
