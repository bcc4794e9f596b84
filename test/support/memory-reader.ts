import type { DeliveryReader } from '../../src/deliver/delivery-reader.ts';
import { instantOfMs } from '../../src/instant.ts';
import type {
  EventPage,
  EventQuery,
  SequencePage,
  SequenceQuery,
  StoredEvent,
} from '../../src/store/store-reader.ts';
import { TopicFilter } from '../../src/topic-filter.ts';

/** The part of a reader that deliveries need, over events in memory. */
export class MemoryReader implements DeliveryReader {
  readonly #events: StoredEvent[] = [];
  readonly #span: number;
  #retired = 0;

  /** @param span positions that one page looks at, whether or not they match: then it ends, with a cursor to go on */
  constructor(span = Number.POSITIVE_INFINITY) {
    this.#span = span;
  }

  publish(topic: string, nowMs = 0, payload = '{}'): StoredEvent {
    const position = this.#events.length + 1;
    const at = instantOfMs(nowMs);
    const event = { position, topic, event_id: `e${position}`, timestamp: at, source: 's', payload } as const;
    const stored = { ...event, processed_at: at, sequence: undefined };
    this.#events.push(stored);
    return stored;
  }

  /** Of a publisher that counts. */
  publishSequence(sequence: number, { topic = 't', source = 's' } = {}): void {
    const event = this.publish(topic);
    this.#events[event.position - 1] = { ...event, source, sequence };
  }

  /** Removes the events up to a position. */
  retire(through: number): void {
    this.#retired = Math.max(this.#retired, through);
  }

  async events(query: EventQuery): Promise<EventPage> {
    const after = query.after ?? 0;
    const end = Math.min(after + this.#span, this.#events.length);
    const matching = this.#matching(query).filter(({ position }) => position <= end);
    const events = matching.slice(0, query.limit);
    if (matching.length > events.length) return { events, next: events.at(-1)?.position };
    return { events, next: end < this.#events.length ? end : undefined };
  }

  async eventAt(position: number): Promise<StoredEvent | undefined> {
    return position > this.#retired ? this.#events[position - 1] : undefined;
  }

  async eventsAt(positions: readonly number[]): Promise<(StoredEvent | undefined)[]> {
    return await Promise.all(positions.map((position) => this.eventAt(position)));
  }

  async countEvents(query: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): Promise<number> {
    return this.#matching(query).length;
  }

  async sequences({ topic, source, after, limit }: SequenceQuery): Promise<SequencePage> {
    const end = Math.max(after, Math.min(after + this.#span, this.#events.length));
    const events = this.#events
      .slice(Math.max(after, this.#retired), end)
      .filter((event) => topic === undefined || event.topic === topic)
      .filter((event) => source === undefined || event.source === source)
      .flatMap(({ sequence, ...event }) => (sequence === undefined ? [] : [{ ...event, sequence }]));
    if (events.length > limit) {
      return { events: events.slice(0, limit), through: events[limit - 1]!.position, isAtEnd: false };
    }
    return { events, through: end, isAtEnd: end === this.#events.length };
  }

  async positionBefore(timeMs: number): Promise<number> {
    return this.#events.findLast(({ processed_at }) => processed_at < instantOfMs(timeMs))?.position ?? 0;
  }

  async lastPosition(): Promise<number> {
    return this.#events.length;
  }

  #matching({
    topic,
    patterns = [],
    after = 0,
  }: Pick<EventQuery, 'topic' | 'patterns' | 'after'>): StoredEvent[] {
    const filter = new TopicFilter(topic === undefined ? patterns : [topic]);
    return this.#events.filter(
      (event) =>
        event.position > Math.max(after, this.#retired) &&
        (topic === undefined ? filter.matches(event.topic) : event.topic === topic),
    );
  }
}
