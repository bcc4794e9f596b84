import assert from 'node:assert/strict';
import type {
  CountAnswer,
  DeadLettersAnswer,
  DeadLettersRequest,
  FetchAnswer,
  FetchRequest,
  LeasesRequest,
  NackRequest,
  SeekAnswer,
  SeekRequest,
  SettledAnswer,
  SubscriptionAnswer,
  SubscriptionRequest,
  WireSubscription,
} from '../../../src/protocol/subscriptions-wire.ts';
import type { Answer } from '../../support/http.ts';
import type { Target } from './case.ts';

/** One subscription over HTTP. Its topics are all those of the case, unless it is made with others. */
export class Subscriber {
  readonly server: Target;
  readonly name: string;

  constructor(server: Target, name = server.scope) {
    this.server = server;
    this.name = name;
  }

  static async make(server: Target, request: Partial<SubscriptionRequest> = {}): Promise<Subscriber> {
    const subscriber = new Subscriber(server);
    await subscriber.put(request);
    return subscriber;
  }

  get path(): string {
    return `/subscriptions/${encodeURIComponent(this.name)}`;
  }

  async send(
    method: string,
    below = '',
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const isJson = body !== undefined;
    return await this.server.send(`${this.path}${below}`, {
      method,
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
      ...(isJson && { body: JSON.stringify(body) }),
    });
  }

  async put(request: Partial<SubscriptionRequest> = {}): Promise<WireSubscription> {
    const answer = await this.send('PUT', '', { topics: [`${this.server.scope}.>`], ...request });
    assert.ok(answer.status === 200 || answer.status === 201, answer.text);
    return answer.json();
  }

  async look(): Promise<SubscriptionAnswer> {
    return await this.server.read(this.path);
  }

  async fetch(request: FetchRequest = {}): Promise<FetchAnswer> {
    return await this.#do('/fetch', request);
  }

  /** Fetches until so many came, for which it may wait, and acknowledges all of them. */
  async take(count: number): Promise<FetchAnswer['events']> {
    const events: FetchAnswer['events'] = [];
    while (events.length < count) {
      const fetched = await this.fetch({ max: count - events.length, wait_ms: 30_000 });
      assert.ok(fetched.events.length > 0, `${events.length} of ${count} came`);
      assert.equal((await this.ack(leasesOf(fetched))).counted, fetched.count);
      events.push(...fetched.events);
    }
    return events;
  }

  async ack(request: LeasesRequest): Promise<SettledAnswer> {
    return await this.#do('/ack', request);
  }

  async nack(request: NackRequest): Promise<SettledAnswer> {
    return await this.#do('/nack', request);
  }

  async extend(request: LeasesRequest): Promise<SettledAnswer> {
    return await this.#do('/extend', request);
  }

  async seek(request: SeekRequest): Promise<SeekAnswer> {
    return await this.#do('/seek', request);
  }

  async deadLetters(query: Readonly<Record<string, number>> = {}): Promise<DeadLettersAnswer> {
    return await this.server.read(`${this.path}/dead-letters`, query);
  }

  async redrive(which: DeadLettersRequest): Promise<number> {
    return (await this.#do<CountAnswer>('/dead-letters/redrive', which)).count;
  }

  async discard(which: DeadLettersRequest): Promise<number> {
    return (await this.#do<CountAnswer>('/dead-letters/discard', which)).count;
  }

  async #do<T>(below: string, request: unknown): Promise<T> {
    const answer = await this.send('POST', below, request);
    assert.equal(answer.status, 200, answer.text);
    return answer.json<T>();
  }
}

/** All events of a hand-out. */
export function leasesOf({ lease, events }: FetchAnswer): { lease: string; positions: number[] } {
  assert.ok(lease !== null, 'nothing was handed out');
  return { lease, positions: events.map(({ position }) => position) };
}

export function idsOf({ events }: Pick<FetchAnswer, 'events'>): string[] {
  return events.map(({ event_id }) => event_id);
}
