/** The story of examples.ts goes on: its three events are handed out, one is acknowledged, two are given up. */

import type {
  CountAnswer,
  DeadLettersAnswer,
  FetchAnswer,
  FetchRequest,
  LeasesRequest,
  NackRequest,
  SeekAnswer,
  SeekRequest,
  SettledAnswer,
  SubscriptionAnswer,
  SubscriptionRequest,
  SubscriptionsAnswer,
  WireSubscription,
} from '../subscriptions-wire.ts';
import type { WireStoredEvent } from '../wire.ts';
import { storedOrder1, storedOrder2, storedOrder3 } from './examples.ts';

/** Of a real answer it is another one. */
const LEASE = '9f86d081884c7d659a2feaa0c55ad015';
const VERSION = '6b86b273ff34fce19d6b804eff5a3f57';
const MADE_AT = '2026-01-31T12:05:00.000000Z';
const DIED_AT = '2026-01-31T12:05:02.300000Z';
const REASON = 'no such customer';

export const subscriptionRequest: SubscriptionRequest = {
  topics: ['orders', 'orders.>'],
  max_attempts: 1,
};

export const subscription: WireSubscription = {
  name: 'billing',
  topics: ['orders', 'orders.>'],
  ack_wait_ms: 30_000,
  max_attempts: 1,
  max_in_flight: 1000,
  backoff: { first_ms: 1000, max_ms: 60_000 },
  ordered: false,
  created_at: MADE_AT,
  version: VERSION,
  cursor: 0,
  leased: 0,
  waiting: 0,
  dead: 0,
};

export const subscriptionAnswer: SubscriptionAnswer = {
  ...subscription,
  lag: { events: 3, age_seconds: 300.25 },
};

export const subscriptionsPage: SubscriptionsAnswer = {
  count: 1,
  subscriptions: [subscription],
  next: null,
};

export const fetchRequest: FetchRequest = { max: 10, wait_ms: 30_000 };

export const fetchAnswer: FetchAnswer = {
  count: 3,
  lease: LEASE,
  lease_ms: 30_000,
  events: [storedOrder1, storedOrder2, storedOrder3].map((event) => ({ ...event, attempt: 1 })),
};

export const extendRequest: LeasesRequest = { lease: LEASE, positions: [1] };
export const ackRequest: LeasesRequest = { lease: LEASE, positions: [1] };
export const nackRequest: NackRequest = {
  leases: [2, 3].map((position) => ({ position, lease: LEASE })),
  reason: REASON,
};

export function settled(counted: number): SettledAnswer {
  return { counted, refused: [] };
}

function dead(event: WireStoredEvent): DeadLettersAnswer['dead_letters'][number] {
  const { position, topic } = event;
  return { position, topic, attempts: 1, reason: REASON, died_at: DIED_AT, event };
}

export const deadLettersPage: DeadLettersAnswer = {
  count: 2,
  dead_letters: [dead(storedOrder2), dead(storedOrder3)],
  next: null,
};

export const counted: CountAnswer = { count: 1 };

export const seekRequest: SeekRequest = { to: 'earliest', dry_run: true };
export const seekAnswer: SeekAnswer = { cursor: 0, events: 3, dry_run: true };
