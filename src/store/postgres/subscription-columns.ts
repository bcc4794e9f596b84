import type { Subscription, SubscriptionDefinition } from '../subscription-store.ts';
import { hexOf } from './subscription-values.ts';

/** SQL for milliseconds since the epoch; what is in between counts as the one before. */
export function msColumn(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/**
 * Subscriptions with their counts, as `s` and `c`. What is outstanding is counted row by row: there are at most as many as the
 * definition allows. In an index of their own, so that dead ones, of which there may be any number, are not in the way.
 */
export const SELECT_SUBSCRIPTION = selectSubscription('');

/**
 * The same, with a thousand dead ones at most: for hand-outs, which decide nothing by them. To count a hundred thousand had each
 * take 20 ms longer, whether or not there was anything to hand out.
 */
export const SELECT_FOR_HAND_OUT = selectSubscription('LIMIT 1000');

function selectSubscription(deadLimit: string): string {
  return `
    SELECT s.name, s.definition, s.version, s.cursor, ${msColumn('s.created_at')}, c.leased, c.waiting, c.oldest,
           (SELECT count(*) FROM (
              SELECT FROM sekali.deliveries d
                WHERE d.subscription_id = s.subscription_id AND d.died_at IS NOT NULL ${deadLimit}) AS dead)
      FROM sekali.subscriptions s
      CROSS JOIN LATERAL (
        SELECT count(d.lease) AS leased, count(*) - count(d.lease) AS waiting, min(d.position) AS oldest
          FROM sekali.deliveries d WHERE d.subscription_id = s.subscription_id AND d.died_at IS NULL
      ) AS c`;
}

export function toSubscription(row: readonly (string | null)[]): Subscription {
  const [name, definition, version, cursor, createdAtMs, leased, waiting, oldest, dead] = row;
  return {
    ...(JSON.parse(definition!) as SubscriptionDefinition),
    name: name!,
    version: hexOf(version!),
    cursor: Number(cursor),
    leased: Number(leased),
    waiting: Number(waiting),
    dead: Number(dead),
    oldestOutstanding: (oldest ?? undefined) === undefined ? undefined : Number(oldest),
    createdAtMs: Number(createdAtMs),
  };
}
