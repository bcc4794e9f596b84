import type { Instant } from '../../instant.ts';
import type { VERDICTS } from '../store.ts';
import type { Counters, TopicSummary } from '../store-reader.ts';

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** What a store says of a valid event. */
export type StoreVerdict = (typeof VERDICTS)[number];

/** What a store in memory has counted, in all and by topic. */
export class MemoryCounts {
  #all = noCounters();
  readonly #topics = new Map<string, Writable<TopicSummary>>();

  reject(events: number): void {
    this.#all.rejected += events;
  }

  /**
   * @param position of the first event of its key
   * @param now of the commit group
   */
  add(topic: string, verdict: StoreVerdict, position: number, now: Instant): void {
    const all = this.#all;
    const ofTopic = this.#topicOf(topic, position, now);
    all.received++;
    if (verdict === 'stored') {
      all.unique_processed++;
      ofTopic.events++;
      ofTopic.last_position = position;
      ofTopic.last_at = now;
      return;
    }
    all.duplicate_dropped++;
    if (verdict === 'duplicate') ofTopic.duplicates++;
    else {
      all.conflicts++;
      ofTopic.conflicts++;
    }
  }

  counters(): Counters {
    return { ...this.#all };
  }

  /** Ordered by name, as UTF-8 has it; after `after`, at most `limit`. */
  topics({ after, limit }: { after: string | undefined; limit: number }): TopicSummary[] {
    return [...this.#topics.values()]
      .filter(({ topic }) => after === undefined || byName(topic, after) > 0)
      .sort((left, right) => byName(left.topic, right.topic))
      .slice(0, limit)
      .map((summary) => ({ ...summary }));
  }

  clear(): void {
    this.#all = noCounters();
    this.#topics.clear();
  }

  #topicOf(topic: string, position: number, now: Instant): Writable<TopicSummary> {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const counts = { events: 0, retired: 0, duplicates: 0, conflicts: 0 };
    const places = { first_position: position, last_position: position, first_at: now, last_at: now };
    const fresh = { topic, ...counts, ...places };
    this.#topics.set(topic, fresh);
    return fresh;
  }
}

function noCounters(): Writable<Counters> {
  const none = { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0 };
  return { ...none, rejected: 0, dead_lettered: 0, consumed: {} };
}

function byName(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
