import type { Schema } from './document.ts';

/** The schemas that have a name of their own. */
export type SchemaName =
  | 'Name'
  | 'Position'
  | 'Instant'
  | 'Event'
  | 'Batch'
  | 'StoredEvent'
  | 'Rejection'
  | 'Receipt'
  | 'PublishAnswer'
  | 'EventsAnswer'
  | 'EventAnswer'
  | 'Conflict'
  | 'ConflictsAnswer'
  | 'Topic'
  | 'TopicsAnswer'
  | 'PublisherGaps'
  | 'GapsAnswer'
  | 'StatsAnswer'
  | 'QueueAnswer'
  | 'HealthAnswer'
  | 'Start'
  | 'Lease'
  | 'Leases'
  | 'DeadSelection'
  | 'SubscriptionRequest'
  | 'Subscription'
  | 'SubscriptionAnswer'
  | 'SubscriptionsAnswer'
  | 'FetchAnswer'
  | 'SettledAnswer'
  | 'DeadLettersAnswer'
  | 'CountAnswer'
  | 'SeekAnswer'
  | 'WebhookRequest'
  | 'Webhook'
  | 'RotateSecretAnswer'
  | 'Problem';

export type NamedSchemas<Name extends SchemaName> = Readonly<Record<Name, Schema>>;

export function ref(name: SchemaName, description?: string): Schema {
  return { $ref: `#/components/schemas/${name}`, ...(description !== undefined && { description }) };
}

export function count(description?: string): Schema {
  return { type: 'integer', minimum: 0, ...(description !== undefined && { description }) };
}

/** What is null where there is nothing to tell. */
export function orNull(type: 'string' | 'integer' | 'number' | 'object', description: string): Schema {
  return { type: [type, 'null'], description };
}

/** An object that the server answers with. Later versions may add members, so no other member is forbidden. */
export function answer(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  { optional = [] }: { optional?: readonly string[] } = {},
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', description, required, properties };
}
