import { instantOfMs } from '../../instant.ts';
import { TopicFilter } from '../../topic-filter.ts';
import {
  type EventPage,
  type EventQuery,
  LOOK_MAX,
  PAGE_LENGTH_MAX,
  type SequencedEvent,
  type SequencePage,
  type SequenceQuery,
  type StoredEvent,
} from '../store-reader.ts';

type TopicQuery = Pick<EventQuery, 'topic' | 'patterns' | 'after'>;

/** The events of a store in memory, by position. */
export class MemoryLog {
  #events: StoredEvent[] = [];
  /** Positions that were given before the first event that is there. */
  #cleared = 0;

  get lastPosition(): number {
    return this.#cleared + this.#events.length;
  }

  /** @returns the position of the event */
  add(event: Omit<StoredEvent, 'position'>): number {
    const position = this.lastPosition + 1;
    this.#events.push({ ...event, position });
    return position;
  }

  at(position: number): StoredEvent | undefined {
    return this.#events[position - this.#cleared - 1];
  }

  page(query: EventQuery): EventPage {
    const matches = matcherOf(query);
    const events: StoredEvent[] = [];
    let length = 0;
    let skip = query.offset;
    let left = query.lookMax ?? LOOK_MAX;
    let through: number | undefined;
    for (const event of this.#between(query)) {
      if (left <= 0 && skip <= 0) return { events, next: through };
      if (skip <= 0) left--;
      through = event.position;
      if (!matches(event) || skip-- > 0) continue;
      if (events.length === query.limit || length >= (query.lengthMax ?? PAGE_LENGTH_MAX))
        return { events, next: events.at(-1)?.position };
      events.push(event);
      length += event.payload.length;
    }
    return { events, next: undefined };
  }

  sequences({ topic, source, after, limit }: SequenceQuery): SequencePage {
    const matches = matcherOf({ topic, source });
    const events: SequencedEvent[] = [];
    for (const event of this.#between({ after, order: 'asc' })) {
      const { position, topic, source: from, sequence, processed_at } = event;
      if (sequence === undefined || !matches(event)) continue;
      if (events.length === limit) return { events, through: events.at(-1)!.position, isAtEnd: false };
      events.push({ position, topic, source: from, sequence, processed_at });
    }
    return { events, through: Math.max(after, this.lastPosition), isAtEnd: true };
  }

  count({ topic, patterns, after }: TopicQuery): number {
    const matches = matcherOf({ topic, patterns });
    let count = 0;
    for (const event of this.#between({ after, order: 'asc' })) if (matches(event)) count++;
    return count;
  }

  /** Highest position of what was stored before a time, in milliseconds since the epoch; 0 when there is none. */
  positionBefore(timeMs: number): number {
    const time = instantOfMs(timeMs);
    return this.#events.findLast(({ processed_at }) => processed_at < time)?.position ?? 0;
  }

  /** Lets go of all events. Positions go on: none is ever given twice. */
  clear(): void {
    this.#cleared = this.lastPosition;
    this.#events = [];
  }

  *#between({ after = 0, before, order }: Pick<EventQuery, 'after' | 'before' | 'order'>) {
    const first = Math.max(0, after - this.#cleared);
    const end = Math.min(this.#events.length, (before ?? Number.POSITIVE_INFINITY) - this.#cleared - 1);
    if (order === 'asc') for (let i = first; i < end; i++) yield this.#events[i]!;
    else for (let i = end - 1; i >= first; i--) yield this.#events[i]!;
  }
}

function matcherOf({
  topic,
  patterns,
  source,
  from,
  to,
}: Pick<EventQuery, 'topic' | 'patterns' | 'source' | 'from' | 'to'>): (event: StoredEvent) => boolean {
  const filter = topic === undefined && patterns !== undefined ? new TopicFilter(patterns) : undefined;
  return (event) =>
    (topic === undefined || event.topic === topic) &&
    filter?.matches(event.topic) !== false &&
    (source === undefined || event.source === source) &&
    (from === undefined || event.timestamp >= from) &&
    (to === undefined || event.timestamp < to);
}
