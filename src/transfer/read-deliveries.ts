import type { SubscriptionDefinition } from '../store/subscription-store.ts';
import { patternRule } from '../topic-filter.ts';
import { LineFault, Members } from './read-members.ts';
import type { TransferDelivery, TransferSubscription } from './records.ts';

/** @throws LineFault, as all reading does */
export function readSubscription(members: Members): TransferSubscription {
  const definition = members.members('definition');
  checkDefinition(definition);
  if (definition.has('webhook')) checkWebhook(definition.members('webhook'));
  return {
    name: members.name('name'),
    cursor: members.count('cursor'),
    created_at: members.instant('created_at'),
    // As a whole: what it may have besides moves too.
    definition: members.raw('definition') as SubscriptionDefinition,
    version: members.hex('version', 16),
  };
}

export function readDelivery(members: Members): TransferDelivery {
  const died_at = members.has('died_at') ? members.instant('died_at') : undefined;
  return {
    subscription: members.name('subscription'),
    position: members.count('position', 1),
    topic: members.name('topic'),
    attempts: members.count('attempts'),
    due_at: members.has('due_at') ? members.instant('due_at') : undefined,
    died_at,
    reason: members.has('reason') || died_at !== undefined ? members.text('reason') : undefined,
  };
}

function checkDefinition(definition: Members): void {
  for (const pattern of definition.texts('topics')) {
    const rule = patternRule(pattern);
    if (rule !== undefined) throw new LineFault(rule);
  }
  definition.count('ackWaitMs', 1);
  definition.count('attemptsMax');
  definition.count('inFlightMax', 1);
  definition.truth('ordered');
  const backoff = definition.members('backoff');
  backoff.count('firstMs');
  backoff.count('maxMs');
}

function checkWebhook(webhook: Members): void {
  webhook.text('url');
  webhook.count('concurrency', 1);
  if (webhook.list('retryMs').length === 0) throw new LineFault('retryMs must have a number at least');
  if (!webhook.list('retryMs').every((ms) => Number.isSafeInteger(ms) && (ms as number) >= 0)) {
    throw new LineFault('retryMs must be integers from 0 on');
  }
  for (const one of webhook.list('secrets')) checkSecret(new Members(one));
  if (webhook.raw('disabledReason') !== null) webhook.text('disabledReason');
}

function checkSecret(secret: Members): void {
  secret.text('secret');
  if (secret.raw('untilMs') !== null) secret.count('untilMs');
}
