import type { GivenBack, Start } from '../deliver/deliveries.ts';
import type { GivenWebhook } from '../deliver/webhooks/webhooks.ts';
import { type Instant, parseInstant } from '../instant.ts';
import { POSITIONS_MAX, REASON_LENGTH_MAX, SUBSCRIPTION_BOUNDS } from '../protocol/subscriptions-wire.ts';
import type { DeadSelection, LeaseRef, SubscriptionDefinition } from '../store/subscription-store.ts';
import { patternRule } from '../topic-filter.ts';
import {
  arrayOf,
  flag,
  invalidMember,
  isObject,
  type Members,
  nameRule,
  notThat,
  object,
  optional,
  orNull,
  type Rule,
  readMembers,
  required,
  text,
  whole,
} from './members.ts';
import { webhookRule } from './webhook-members.ts';

/** What the bodies of requests about subscriptions hold. */
const { ackWaitMs, maxAttempts, maxInFlight, backoffMs, patternsMax } = SUBSCRIPTION_BOUNDS;
const backoffRule = whole(backoffMs.min, backoffMs.max);
const positions = arrayOf(whole(1, Number.MAX_SAFE_INTEGER), POSITIONS_MAX);

const pattern: Rule<string> = (value, at) => {
  const rule = typeof value === 'string' ? patternRule(value) : 'it is a text';
  if (rule === undefined) return value as string;
  throw invalidMember(at, `${at} must be a pattern of topics (${rule})${notThat(value)}`);
};

const start: Rule<Start> = (value, at) => {
  if (value === 'earliest' || value === 'latest') return { kind: value };
  const [name, ...others] = isObject(value) ? Object.keys(value) : [];
  if (!isObject(value) || others.length > 0 || (name !== 'after' && name !== 'since')) {
    throw invalidMember(
      at,
      `${at} must be "earliest", "latest", {"after": POSITION} or {"since": DATE-TIME}${notThat(value)}`,
    );
  }
  if (name === 'since') return { kind: 'time', sinceMs: sinceMs(value[name], `${at}.since`) };
  return {
    kind: 'position',
    after: whole(0, Number.MAX_SAFE_INTEGER)(value[name], `${at}.after`),
  };
};

/** Nothing was stored before 1970, and a store need not know such times. Rounded down: what was stored within the millisecond belongs to it. */
function sinceMs(value: unknown, at: string): number {
  const since: Instant | undefined = typeof value === 'string' ? parseInstant(value) : undefined;
  if (since === undefined) {
    throw invalidMember(at, `${at} must be an RFC 3339 date-time, as 2026-01-31T12:00:00Z${notThat(value)}`);
  }
  return Math.max(0, typeof since === 'bigint' ? Number(since / 1000n) : Math.floor(since / 1000));
}

const DEFINITION = {
  topics: required(arrayOf(pattern, patternsMax)),
  start: optional(start, { kind: 'earliest' } as const),
  ack_wait_ms: optional(whole(ackWaitMs.min, ackWaitMs.max), ackWaitMs.fallback),
  max_attempts: optional(whole(maxAttempts.min, maxAttempts.max), undefined),
  max_in_flight: optional(whole(maxInFlight.min, maxInFlight.max), maxInFlight.fallback),
  backoff: optional(
    object({
      first_ms: optional(backoffRule, backoffMs.firstFallback),
      max_ms: optional(backoffRule, undefined),
    }),
    { first_ms: backoffMs.firstFallback, max_ms: undefined },
  ),
  ordered: optional(flag, false),
  webhook: optional(orNull(webhookRule), undefined),
};

export interface GivenSubscription {
  readonly definition: SubscriptionDefinition;
  readonly start: Start;
  /** Null: there is to be none. */
  readonly webhook: GivenWebhook | null | undefined;
}

export function readDefinition(members: Members): GivenSubscription {
  const { webhook, ...given } = readMembers(DEFINITION, members);
  const firstMs = given.backoff.first_ms;
  const maxMs = given.backoff.max_ms ?? Math.max(firstMs, backoffMs.maxFallback);
  if (maxMs < firstMs) {
    throw invalidMember(
      'backoff.max_ms',
      `backoff.max_ms must be at least first_ms, ${firstMs}, not ${maxMs}`,
    );
  }
  const definition = {
    topics: given.topics,
    ackWaitMs: given.ack_wait_ms,
    attemptsMax: given.max_attempts ?? (webhook ? webhook.retryMs.length + 1 : maxAttempts.fallback),
    inFlightMax: given.max_in_flight,
    backoff: { firstMs, maxMs },
    ordered: given.ordered,
  };
  return { definition, start: given.start, webhook };
}

export function readSeek(members: Members): { to: Start; dryRun: boolean } {
  const { to, dry_run } = readMembers({ to: required(start), dry_run: optional(flag, false) }, members);
  return { to, dryRun: dry_run };
}

const lease: Rule<string> = (value, at) => {
  if (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)) return value;
  throw invalidMember(at, `${at} must be the lease that a fetch has answered with${notThat(value)}`);
};

const LEASES = {
  lease: optional(lease, undefined),
  positions: optional(positions, undefined),
  leases: optional(
    arrayOf(
      object({ position: required(whole(1, Number.MAX_SAFE_INTEGER)), lease: required(lease) }),
      POSITIONS_MAX,
    ),
    undefined,
  ),
};

const NACK = {
  ...LEASES,
  delay_ms: optional(backoffRule, undefined),
  reason: optional(text(REASON_LENGTH_MAX), undefined),
  untried: optional(flag, false),
  dead: optional(flag, false),
};

export function readLeases(members: Members): LeaseRef[] {
  return leasesOf(readMembers(LEASES, members));
}

export function readNack(members: Members): GivenBack & { leases: LeaseRef[] } {
  const { delay_ms: delayMs, reason, untried, dead, ...given } = readMembers(NACK, members);
  const leases = leasesOf(given);
  if (!dead) return { leases, delayMs, reason, as: untried ? 'untried' : undefined };
  if (untried || delayMs !== undefined) {
    throw invalidMember('dead', 'dead must not be true together with untried or delay_ms: it is for good');
  }
  if (reason === undefined) throw invalidMember('reason', 'reason is required where dead is true');
  return { leases, delayMs, reason, as: 'dead' };
}

/** Each once: a lease that is named twice is ended by the first, and would be refused the second time. */
function leasesOf(given: ReturnType<typeof readMembers<typeof LEASES>>): LeaseRef[] {
  const { lease, positions, leases } = given;
  if (lease !== undefined && positions !== undefined && leases === undefined) {
    return [...new Set(positions)].map((position) => ({ position, lease }));
  }
  if (leases === undefined || lease !== undefined || positions !== undefined) {
    throw invalidMember(
      leases === undefined ? (lease === undefined ? 'lease' : 'positions') : 'leases',
      'the leases must be given as {"lease": …, "positions": […]} or as {"leases": [{"position": …, "lease": …}]}',
    );
  }
  return [...new Map(leases.map((one) => [`${one.position} ${one.lease}`, one])).values()];
}

const SELECTION = {
  positions: optional(positions, undefined),
  topic: optional(nameRule, undefined),
  all: optional(flag, undefined),
};

export function readSelection(members: Members): DeadSelection {
  const { positions, topic, all } = readMembers(SELECTION, members);
  const given = [positions, topic, all].filter((one) => one !== undefined);
  if (given.length !== 1 || all === false) {
    throw invalidMember('all', 'one of {"positions": […]}, {"topic": …} and {"all": true} must be given');
  }
  return positions === undefined ? { topic } : { positions: [...new Set(positions)] };
}
