import type { FastifyInstance } from 'fastify';
import type { PutAnswer } from '../../deliver/webhooks/webhooks.ts';
import { SekaliError } from '../../errors.ts';
import { checkName } from '../../event.ts';
import { formatInstant, instantOfMs } from '../../instant.ts';
import {
  type SeekAnswer,
  type SubscriptionAnswer,
  type SubscriptionsAnswer,
  type WireSubscription,
} from '../../protocol/subscriptions-wire.ts';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../../protocol/wire.ts';
import { integer } from '../../settings.ts';
import type { Subscription, SubscriptionDefinition } from '../../store/subscription-store.ts';
import { etagOf, readCondition } from '../conditions.ts';
import type { FetchLines } from '../fetch-lines.ts';
import type { JsonBodies } from '../json-bodies.ts';
import { nameRule } from '../members.ts';
import type { Parts } from '../parts.ts';
import { name, parameter, readQuery } from '../query.ts';
import { readDefinition, readSeek } from '../subscription-members.ts';
import { printWebhook } from '../webhook-members.ts';

export const SUBSCRIPTIONS_PARAMETERS = {
  after: parameter(name, undefined),
  limit: parameter(integer(1, PAGE_LIMIT_MAX), PAGE_LIMIT_DEFAULT),
};

/** What the routes about subscriptions share. */
export interface SubscriptionParts {
  readonly bodies: JsonBodies;
  readonly lines: FetchLines;
}

/** The subscription that an address is of. */
export interface Named {
  Params: { name: string };
}

/** Subscriptions themselves: made, changed, looked at, moved, removed. */
export function addSubscriptionsRoutes(
  app: FastifyInstance,
  { deliveries, webhooks }: Parts,
  { bodies, lines }: SubscriptionParts,
): void {
  app.put<Named>('/subscriptions/:name', async (request, reply) => {
    readQuery({}, request.query);
    const name = nameRule(request.params.name, 'name');
    const condition = readCondition(request.headers);
    const { definition, ...given } = readDefinition(await bodies.members(request, reply));
    const put = await webhooks.put(name, definition, { ...given, condition });
    lines.ring(name);
    reply.code(put.created ? 201 : 200).header('etag', etagOf(put.version));
    return await reply.send(printPut(put));
  });

  app.get('/subscriptions', async (request): Promise<SubscriptionsAnswer> => {
    const { after, limit } = readQuery(SUBSCRIPTIONS_PARAMETERS, request.query);
    const found = await deliveries.list({ after, limit: limit + 1 });
    const page = found.slice(0, limit);
    return {
      count: page.length,
      subscriptions: page.map((one) => print(one)),
      next: found.length > page.length ? (page.at(-1)?.name ?? null) : null,
    };
  });

  app.get<Named>('/subscriptions/:name', async (request, reply): Promise<SubscriptionAnswer> => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const subscription = await find(name);
    const { events, ageMs } = await deliveries.lag(subscription);
    reply.header('etag', etagOf(subscription.version));
    const age_seconds = ageMs === undefined ? null : Math.round(Math.max(0, ageMs)) / 1000;
    return { ...print(subscription), lag: { events, age_seconds } };
  });

  app.delete<Named>('/subscriptions/:name', async (request, reply) => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    await deliveries.remove(name, readCondition(request.headers));
    lines.ring(name);
    webhooks.changed(name);
    return await reply.code(204).send();
  });

  app.post<Named>('/subscriptions/:name/seek', async (request, reply): Promise<SeekAnswer> => {
    readQuery({}, request.query);
    const name = knowable(request.params.name);
    const { to, dryRun } = readSeek(await bodies.members(request, reply));
    const { cursor, events } = await deliveries.seek(name, to, { dryRun });
    if (!dryRun) {
      lines.ring(name);
      webhooks.changed(name);
    }
    return { cursor, events, dry_run: dryRun };
  });

  function print(subscription: Subscription): WireSubscription {
    const { webhook } = subscription;
    return {
      ...printSubscription(subscription),
      ...(webhook && { webhook: printWebhook(webhook, webhooks.status(webhook)) }),
    };
  }

  /** As the put has left it, also if it was changed or removed since. With the secret of its webhook, if one was made. */
  function printPut({ secret, ...put }: PutAnswer): WireSubscription {
    const printed = print(put);
    if (secret === undefined || printed.webhook === undefined) return printed;
    return { ...printed, webhook: { ...printed.webhook, secret } };
  }

  async function find(name: string): Promise<Subscription> {
    const subscription = await deliveries.get(name);
    if (subscription === undefined) throw unknown(name);
    return subscription;
  }
}

/**
 * The name of a subscription that may be there. One that breaks the rule was never made: no store is asked for it.
 *
 * @throws SekaliError `subscription_unknown`
 */
export function knowable(name: string): string {
  if (checkName('the name', name) !== undefined) throw unknown(name);
  return name;
}

function unknown(name: string): SekaliError {
  return new SekaliError('subscription_unknown', `there is no subscription ${JSON.stringify(name)}`);
}

function printSubscription(subscription: Subscription): WireSubscription {
  const { name, createdAtMs, version, cursor, leased, waiting, dead } = subscription;
  const created_at = formatInstant(instantOfMs(createdAtMs));
  return { name, ...printDefinition(subscription), created_at, version, cursor, leased, waiting, dead };
}

function printDefinition(definition: SubscriptionDefinition) {
  const { topics, ackWaitMs, attemptsMax, inFlightMax, backoff, ordered } = definition;
  return {
    topics: [...topics],
    ack_wait_ms: ackWaitMs,
    max_attempts: attemptsMax,
    max_in_flight: inFlightMax,
    backoff: { first_ms: backoff.firstMs, max_ms: backoff.maxMs },
    ordered,
  };
}
