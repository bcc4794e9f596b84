/** The shapes of subscriptions on the wire: what is asked for, handed out, settled and set aside. */
import type { WireStoredEvent } from './wire.ts';

/** What a subscription may be, and what it is where nothing is said. */
export const SUBSCRIPTION_BOUNDS = {
  patternsMax: 100,
  ackWaitMs: { min: 1000, max: 43_200_000, fallback: 30_000 },
  /** 0: without an end. */
  maxAttempts: { min: 0, max: 1000, fallback: 5 },
  maxInFlight: { min: 1, max: 100_000, fallback: 1000 },
  backoffMs: { min: 0, max: 86_400_000, firstFallback: 1000, maxFallback: 60_000 },
} as const;

/** What a webhook may be. The schedule of retries is that of Standard Webhooks ("Deliverability and reliability") up to its seventh. */
export const WEBHOOK_BOUNDS = {
  urlLengthMax: 2048,
  concurrency: { min: 1, max: 64, fallback: 8 },
  retryMs: {
    min: 0,
    max: 86_400_000,
    lengthMax: 20,
    fallback: [5000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000],
  },
  /** For how long an old secret is signed with too. */
  overlapMs: { min: 0, max: 604_800_000, fallback: 86_400_000 },
} as const;

/** Events of one hand-out, and for how long it may be waited for. */
export const FETCH_MAX = 1000;
export const FETCH_DEFAULT = 100;
export const FETCH_WAIT_MS_MAX = 60_000;

/** Positions that one request may name. */
export const POSITIONS_MAX = 10_000;
/** Characters of the reason of a nack. */
export const REASON_LENGTH_MAX = 1000;
/** Where a subscription begins: above a position, or with what was stored from a time on. */
export type WireStart = 'earliest' | 'latest' | { after: number } | { since: string };

export interface WireSubscriptionDefinition {
  /** Patterns: `*` stands for one word of a topic, `>` at the end for one or more. */
  topics: string[];
  ack_wait_ms: number;
  /** 0: without an end. */
  max_attempts: number;
  max_in_flight: number;
  backoff: { first_ms: number; max_ms: number };
  ordered: boolean;
}

/** What PUT takes: what is left out has its default. `start` counts for a new one only. */
export type SubscriptionRequest = Pick<WireSubscriptionDefinition, 'topics'> &
  Partial<Omit<WireSubscriptionDefinition, 'backoff'>> & {
    backoff?: Partial<WireSubscriptionDefinition['backoff']>;
    start?: WireStart;
    /** Null: there is to be none, also where there is one. */
    webhook?: WebhookRequest | null;
  };

/** Events are sent to a URL, a request each. */
export interface WebhookRequest {
  url: string;
  /** Requests of one server at one time. */
  concurrency?: number;
  /** Before each time that an event is sent again; the last one holds for all after it. */
  retry_ms?: number[];
}

export interface WireWebhook extends Required<WebhookRequest> {
  /** `paused`: its target is left alone for a while; `disabled`: until it is put again. */
  state: 'active' | 'paused' | 'disabled';
  reason: string | null;
  /** Of the target, one after the other. */
  failures: number;
  next_try_in_ms: number | null;
  /** In the answer to the PUT that makes it, and never again. */
  secret?: string;
}

export interface RotateSecretRequest {
  overlap_ms?: number;
}

export interface RotateSecretAnswer {
  secret: string;
  overlap_ms: number;
}

export interface WireSubscription extends WireSubscriptionDefinition {
  name: string;
  created_at: string;
  /** Of the definition: its ETag, without the quotes. */
  version: string;
  /** Everything at or below it was handed out, or does not match. */
  cursor: number;
  leased: number;
  waiting: number;
  dead: number;
  /** Of one whose events are sent to a URL. */
  webhook?: WireWebhook;
}

export interface SubscriptionAnswer extends WireSubscription {
  lag: {
    /** That match and were not handed out yet. */
    events: number;
    /** Since the oldest was stored that is not acknowledged; null when all are. */
    age_seconds: number | null;
  };
}

export interface SubscriptionsAnswer {
  count: number;
  subscriptions: WireSubscription[];
  /** The `after` of the next page, or null. */
  next: string | null;
}

export interface FetchRequest {
  max?: number;
  wait_ms?: number;
}

export interface WireDelivery extends WireStoredEvent {
  /** How often it has been handed out, this time included. */
  attempt: number;
}

export interface FetchAnswer {
  count: number;
  /** Null when nothing was handed out. */
  lease: string | null;
  lease_ms: number;
  events: WireDelivery[];
}

export interface WireLease {
  position: number;
  lease: string;
}

export type LeasesRequest = { lease: string; positions: number[] } | { leases: WireLease[] };
export type NackRequest = LeasesRequest & {
  delay_ms?: number;
  reason?: string;
  /** Nobody has begun with them: the attempt does not count. */
  untried?: boolean;
  /** No attempt can help: they are dead letters at once. With a reason, and no other member. */
  dead?: boolean;
};

/** Why a lease did not count. */
export const LEASE_REFUSALS = {
  lease_expired: 'The time of the lease was over: the event is handed out again.',
  lease_stale: 'The event was handed out again or settled before, or the lease was never for it.',
} as const;

export interface SettledAnswer {
  counted: number;
  refused: { position: number; code: keyof typeof LEASE_REFUSALS; detail: string }[];
}

export interface WireDeadLetter {
  position: number;
  topic: string;
  attempts: number;
  reason: string;
  died_at: string;
  /** Null where retention has removed it. */
  event: WireStoredEvent | null;
}

export interface DeadLettersAnswer {
  count: number;
  dead_letters: WireDeadLetter[];
  /** The `after` of the next page, or null. */
  next: number | null;
}

export type DeadLettersRequest = { positions: number[] } | { topic: string } | { all: true };

export interface CountAnswer {
  count: number;
}

export interface SeekRequest {
  to: WireStart;
  dry_run?: boolean;
}

export interface SeekAnswer {
  cursor: number;
  events: number;
  dry_run: boolean;
}
