import {
  type EventAnswer,
  type PublishAnswer,
  type PublishOptions,
  Sekali,
  type WireEvent,
  type WireStoredEvent,
} from '../../client/index.ts';
import type { DemoServer } from './demo-server.ts';
import type { Facts } from './expectation.ts';

/** Counters of /stats that a step changes. */
const COUNTERS = ['received', 'unique_processed', 'duplicate_dropped', 'conflicts'] as const;

/** What a step works with: a server that nobody else uses, and a topic that no other step uses. */
export class Lab {
  readonly topic: string;
  readonly server: DemoServer;
  /** Ends all that waits when the demo is interrupted. */
  readonly signal: AbortSignal;
  readonly #client: Sekali;

  constructor(server: DemoServer, topic: string, signal: AbortSignal) {
    this.server = server;
    this.topic = topic;
    this.signal = signal;
    this.#client = new Sekali({ url: server.url, backoff: { firstMs: 20, maxMs: 250 } });
  }

  /** An event of this lab's topic. */
  event(eventId: string, payload: WireEvent['payload']): WireEvent {
    const timestamp = new Date().toISOString();
    return { topic: this.topic, event_id: eventId, timestamp, source: 'sekali demo', payload };
  }

  /** Publishes a batch, again and again if the server is away. */
  async publish(events: readonly WireEvent[], options: PublishOptions = {}): Promise<PublishAnswer> {
    return await this.#client.publish(events, { ...options, signal: this.signal });
  }

  async find(eventId: string): Promise<EventAnswer> {
    return await this.#client.event(this.topic, eventId, this.signal);
  }

  /** How far an action moves the counters of /stats. */
  async counting<T>(action: () => Promise<T>): Promise<{ result: T; counted: CounterFacts }> {
    const before = await this.#client.stats(this.signal);
    const result = await action();
    const after = await this.#client.stats(this.signal);
    const moved = COUNTERS.map((name) => [name, after[name] - before[name]] as const);
    return { result, counted: Object.fromEntries(moved) as CounterFacts };
  }

  /** Reads all events of the topic, page by page. */
  async readBack(): Promise<WireStoredEvent[]> {
    const found: WireStoredEvent[] = [];
    for (let after: number | undefined; ; ) {
      const page = await this.#client.events({ topic: this.topic, after, limit: 1000 }, this.signal);
      found.push(...page.events);
      if (page.next === null) return found;
      after = page.next;
    }
  }
}

export type CounterFacts = Facts & Record<(typeof COUNTERS)[number], number>;
