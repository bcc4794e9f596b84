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
export { RequestError } from './request-error.ts';
export { type PublishOptions, type QueryParameters, Sekali, type SekaliOptions } from './sekali.ts';
