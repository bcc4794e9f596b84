export type { GapsAnswer, WireGap, WirePublisherGaps, WireRestart } from '../protocol/gaps-wire.ts';
export type {
  CountAnswer,
  DeadLettersAnswer,
  DeadLettersRequest,
  RotateSecretAnswer,
  RotateSecretRequest,
  SeekAnswer,
  SeekRequest,
  SubscriptionAnswer,
  SubscriptionRequest,
  SubscriptionsAnswer,
  WireDeadLetter,
  WireStart,
  WireSubscription,
} from '../protocol/subscriptions-wire.ts';
export type {
  EventAnswer,
  EventsAnswer,
  ProblemAnswer,
  PublishAnswer,
  StatsAnswer,
  TopicsAnswer,
  WireEvent,
  WireReceipt,
  WireRejection,
  WireStoredEvent,
  WireVerdict,
} from '../protocol/wire.ts';
export type { BackoffOptions } from './backoff.ts';
export type { Failure } from './batch-sender.ts';
export { ClientError } from './client-error.ts';
export { Consumer } from './consumer.ts';
export { type ExactlyOnceOptions, exactlyOnce, type Mark, type MarkStore } from './exactly-once.ts';
export type { ConsumerOptions, DeliveryContext, Handler } from './handler.ts';
export { type MysqlConnection, mysqlStyle } from './marks/mysql-style.ts';
export { type PostgresClient, postgres } from './marks/postgres.ts';
export { type SqliteDatabase, sqlite } from './marks/sqlite.ts';
export type { ClientClock, ClientLog, SekaliOptions } from './options.ts';
export { type Leave, Publisher, type PublisherOptions } from './publisher.ts';
export { RequestError } from './request-error.ts';
export { type PublishOptions, type QueryParameters, Sekali } from './sekali.ts';
export type { Refusal } from './settlements.ts';
export type { RequestBounds, Spool, SpoolPage } from './spool.ts';
export { type PutOptions, type RemoveOptions, SubscriptionCalls } from './subscriptions.ts';
export type { TailItem, TailOptions } from './tail.ts';
export type { AnyTopics, Draft, Receipt, StandardSchema, StoredEvent } from './topics.ts';
