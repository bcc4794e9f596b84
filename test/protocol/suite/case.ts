import assert from 'node:assert/strict';
import type {
  EventsAnswer,
  ProblemAnswer,
  PublishAnswer,
  StatsAnswer,
  WireEvent,
  WireReceipt,
} from '../../../src/protocol/wire.ts';
import { type Answer, RawConnection, type SendOptions, send } from '../../support/http.ts';
import { makeEvent } from '../../support/make-events.ts';
import { until } from '../../support/until.ts';

/** One promise of the protocol, as a sentence and its proof. Data, so that every kind of server is held to all of it. */
export interface ProtocolCase {
  readonly name: string;
  run(server: Target): Promise<void>;
}

export type Query = Readonly<Record<string, string | number | boolean>>;

/**
 * The server under test, as one case sees it: with topics of its own, so that nothing another case or an earlier run has
 * stored is in the way. Between two reads of `/stats` nobody else may publish.
 */
export class Target {
  readonly url: string;
  /** Every topic of the case begins with it, and no other does. */
  readonly scope: string;
  readonly #key: string | undefined;

  constructor(url: string, scope: string, key?: string) {
    this.url = url;
    this.scope = scope;
    this.#key = key;
  }

  get headers(): Record<string, string> {
    return this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` };
  }

  topic(name = 'a'): string {
    return `${this.scope}.${name}`;
  }

  /** A valid event of the case's own topic; every member can be replaced. */
  event(change: Partial<WireEvent> = {}): WireEvent {
    return makeEvent({ topic: this.topic(), ...change });
  }

  /** The JSON text of an event whose payload is spelled as given. */
  eventText(payload: string, change: Partial<WireEvent> = {}): string {
    const { payload: _payload, ...members } = this.event(change);
    return `${JSON.stringify(members).slice(0, -1)},"payload":${payload}}`;
  }

  /** Events `e0`, `e1`, … */
  events(count: number, change: Partial<WireEvent> = {}): WireEvent[] {
    return Array.from({ length: count }, (_, i) =>
      this.event({ event_id: `e${i}`, payload: { i }, ...change }),
    );
  }

  async send(path: string, { headers, ...options }: SendOptions = {}): Promise<Answer> {
    return await send(this.url, path, { headers: { ...this.headers, ...headers }, ...options });
  }

  async connect(): Promise<RawConnection> {
    return await RawConnection.open(this.url);
  }

  /**
   * Publishes a body as it is, as JSON unless the headers say otherwise. Answered once it is stored, unless the query says
   * otherwise: the case reads it next.
   */
  async publishBody(
    body: NonNullable<SendOptions['body']>,
    { query = {}, headers = {} }: { query?: Query; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    return await this.send(`/publish${queryText({ ack: 'stored', ...query })}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  }

  /** Publishes events that are taken, with a receipt for each. */
  async publish(...events: WireEvent[]): Promise<PublishAnswer & { results: WireReceipt[] }> {
    const answer = await this.publishBody(JSON.stringify(events), { query: { results: 'all' } });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }

  async verdicts(...events: WireEvent[]): Promise<string[]> {
    return (await this.publish(...events)).results.map((receipt) => receipt.verdict);
  }

  /** What a GET answers with 200. */
  async read<T>(path: string, query: Query = {}): Promise<T> {
    const answer = await this.send(`${path}${queryText(query)}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json<T>();
  }

  /** A page of events, of the case's own topic unless the query names one. */
  async page(query: Query = {}): Promise<EventsAnswer> {
    return await this.read('/events', { topic: this.topic(), ...query });
  }

  /** The ids of the events that are stored in a topic of the case, in order. */
  async ids(query: Query = {}): Promise<string[]> {
    return (await this.page({ limit: 1000, ...query })).events.map((event) => event.event_id);
  }

  async stats(): Promise<StatsAnswer> {
    return await this.read('/stats');
  }

  /** Waits until all that was taken is stored. @returns the counters then */
  async settled(): Promise<StatsAnswer> {
    return await until('nothing is queued', async () => {
      const stats = await this.stats();
      return stats.queued === 0 && stats;
    });
  }

  /** The answer to something that must leave no event behind. */
  async storesNothing(attempt: () => Promise<Answer>): Promise<Answer> {
    const before = await this.#stored();
    const answer = await attempt();
    assert.deepEqual(await this.#stored(), before, 'something was stored');
    return answer;
  }

  async #stored(): Promise<unknown> {
    const { received, unique_processed, duplicate_dropped, conflicts, queued } = await this.stats();
    const { events } = await this.read<EventsAnswer>('/events', { order: 'desc', limit: 1 });
    return {
      received,
      unique_processed,
      duplicate_dropped,
      conflicts,
      queued,
      last: events[0]?.position ?? 0,
    };
  }
}

export function queryText(query: Query): string {
  const parameters = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  return parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`;
}

export function addressOf({ topic, event_id }: Pick<WireEvent, 'topic' | 'event_id'>): string {
  return `/events/${encodeURIComponent(topic)}/${encodeURIComponent(event_id)}`;
}

/** A problem document (RFC 9457), whole and of one piece with its status. */
export function assertProblem(answer: Answer, status: number, code: string): ProblemAnswer {
  assert.deepEqual(
    [answer.status, answer.headers['content-type']],
    [status, 'application/problem+json'],
    answer.text,
  );
  const problem = answer.json<ProblemAnswer>();
  assert.deepEqual([problem.code, problem.status], [code, status], answer.text);
  assert.equal(problem.type, `urn:sekali:problem:${code}`);
  assert.ok(problem.title.length > 0 && problem.detail.length > 0, answer.text);
  const retryable = [408, 429, 503].includes(status);
  assert.equal(problem.retryable, retryable);
  if (status === 429 || status === 503) assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  else assert.equal(answer.headers['retry-after'], undefined);
  return problem;
}

/** The text of the only payload in an answer, byte for byte. */
export function payloadText(answer: Answer): string | undefined {
  return /"payload":(.*),"processed_at"/s.exec(answer.text)?.[1];
}
