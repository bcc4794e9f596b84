import type { StoreReader } from '../store/store-reader.ts';
import { TopicFilter } from '../topic-filter.ts';

/** What deliveries need of a reader: that of every store has all of it. */
export type DeliveryReader = Required<
  Pick<StoreReader, 'events' | 'eventAt' | 'eventsAt' | 'countEvents' | 'positionBefore' | 'lastPosition'>
>;

/** The members of a query for the topics of a subscription. */
export function topicsOf(patterns: readonly string[]): {
  readonly topic?: string;
  readonly patterns?: readonly string[];
} {
  const { topic } = new TopicFilter(patterns);
  return topic === undefined ? { patterns } : { topic };
}
