import { SekaliError } from '../../errors.ts';
import type { DefinitionCondition } from '../../store/definition-condition.ts';
import type { SubscriptionDefinition } from '../../store/subscription-store.ts';

/**
 * A subscription has a webhook, or consumers fetch from it, and none becomes the other by the way: two who use one name would take each
 * other's events. It is done on purpose by whoever says so: that the webhook ends, with null in its place; that one is made of a
 * subscription that has none, with the version of that one.
 *
 * @param given undefined: nothing was said of a webhook
 * @throws SekaliError `webhook_conflict`
 */
export function refuseTurning(
  name: string,
  there: Pick<SubscriptionDefinition, 'webhook'>,
  given: object | null | undefined,
  { match }: DefinitionCondition,
): void {
  const what = `the subscription ${JSON.stringify(name)}`;
  if (there.webhook !== undefined && given === undefined) {
    throw new SekaliError(
      'webhook_conflict',
      `${what} has a webhook, which a definition without one would end: give "webhook" again, or null in its place if it is to end`,
      { member: 'webhook' },
    );
  }
  if (there.webhook === undefined && given && !Array.isArray(match)) {
    throw new SekaliError(
      'webhook_conflict',
      `${what} has no webhook, and consumers may fetch from it: use another name, or send If-Match with the version of this one if it is meant`,
      { member: 'webhook' },
    );
  }
}

/** @throws SekaliError `webhook_conflict` */
export function refuseFetching(name: string, { webhook }: Pick<SubscriptionDefinition, 'webhook'>): void {
  if (webhook === undefined) return;
  throw new SekaliError(
    'webhook_conflict',
    `the events of the subscription ${JSON.stringify(name)} are sent to its webhook: fetch from one of another name, or end the webhook with a PUT that has "webhook": null`,
  );
}
