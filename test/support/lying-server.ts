import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type {
  EventsAnswer,
  PublishAnswer,
  StatsAnswer,
  WireEvent,
  WireStoredEvent,
} from '../../src/client/index.ts';

/** What a server does wrong, to the one event that it is told of first. */
export type Lie =
  /** Nothing. */
  | 'none'
  /** Acknowledges and counts the event, and does not keep it. */
  | 'drop'
  /** Keeps the event, and does not count it. */
  | 'not counted'
  /** Keeps the event under two positions. */
  | 'double'
  /** Keeps another payload. */
  | 'alter'
  /** Says that the event conflicts. */
  | 'conflict'
  /** Refuses the event. */
  | 'reject'
  /** Counts a received event that is nowhere else. */
  | 'does not add up'
  /** Keeps the whole request, and cuts the connection instead of an answer: no lie, but what a crash looks like. */
  | 'cut';

const LIED_ABOUT = 100;

/** A server in memory that a publisher must see through. It speaks as much of the protocol as `sekali publish` needs. */
export class LyingServer {
  readonly url: string;
  /** The bodies of the requests, as they came. */
  readonly bodies: string[];

  constructor(url: string, bodies: string[]) {
    this.url = url;
    this.bodies = bodies;
  }

  static async start(t: Pick<TestContext, 'after'>, lie: Lie): Promise<LyingServer> {
    const book = new Book(lie);
    const bodies: string[] = [];
    const server = createServer((request, response) => void answer(request, response));
    server.listen(0, '127.0.0.1');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');

    async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
      if (pathname !== '/publish') {
        response.end(JSON.stringify(pathname === '/stats' ? book.stats() : book.events(searchParams)));
        return;
      }
      const body = await text(request);
      bodies.push(body);
      const json = JSON.stringify(book.publish(JSON.parse(body) as WireEvent[]));
      if (lie === 'cut' && bodies.length === 1) request.socket.destroy();
      else response.end(json);
    }

    return new LyingServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies);
  }
}

class Book {
  readonly #lie: Lie;
  readonly #log: WireStoredEvent[] = [];
  readonly #keys = new Set<string>();
  readonly #counters = { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0 };

  constructor(lie: Lie) {
    this.#lie = lie;
  }

  publish(events: readonly WireEvent[]): PublishAnswer {
    const told = { processed: 0, duplicates: 0, conflicts: 0, rejected: 0 };
    for (const event of events) {
      const key = JSON.stringify([event.topic, event.event_id]);
      const lie = this.#keys.size === LIED_ABOUT && !this.#keys.has(key) ? this.#lie : 'none';
      if (lie === 'reject') {
        told.rejected++;
        this.#counters.rejected++;
        this.#keys.add(key);
        continue;
      }
      this.#counters.received++;
      if (this.#keys.has(key)) {
        told.duplicates++;
        this.#counters.duplicate_dropped++;
        continue;
      }
      this.#keys.add(key);
      if (lie === 'conflict') {
        told.conflicts++;
        this.#counters.conflicts++;
        this.#counters.duplicate_dropped++;
        continue;
      }
      told.processed++;
      if (lie === 'not counted') this.#counters.received--;
      else this.#counters.unique_processed++;
      if (lie === 'does not add up') this.#counters.received++;
      if (lie !== 'drop') this.#append(lie === 'alter' ? { ...event, payload: {} } : event);
      if (lie === 'double') this.#append(event);
    }
    const errors = told.rejected > 0 ? [{ index: 0, event_id: null, code: 'odd', detail: 'it is odd' }] : [];
    const accepted = events.length - told.rejected;
    return { status: 'accepted', count: events.length, accepted, queued: 0, ...told, errors };
  }

  stats(): StatsAnswer {
    return {
      ...this.#counters,
      queued: 0,
      dead_lettered: 0,
      dedup_rate_percent: 0,
      topics: [],
      uptime_seconds: 1,
    };
  }

  events(query: URLSearchParams): EventsAnswer {
    const after = Number(query.get('after') ?? 0);
    const before = Number(query.get('before') ?? Number.POSITIVE_INFINITY);
    const limit = Number(query.get('limit'));
    const topic = query.get('topic');
    const found = this.#log.filter(
      (event) => event.position > after && event.position < before && (topic ?? event.topic) === event.topic,
    );
    if (query.get('order') === 'desc') found.reverse();
    const events = found.slice(0, limit);
    return {
      count: events.length,
      events,
      next: found.length > events.length ? (events.at(-1)?.position ?? null) : null,
    };
  }

  #append(event: WireEvent): void {
    this.#log.push({ ...event, position: this.#log.length + 1, processed_at: '2026-01-01T00:00:00.000000Z' });
  }
}
