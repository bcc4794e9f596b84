import type { GapsAnswer } from '../protocol/gaps-wire.ts';
import {
  type EventAnswer,
  type EventsAnswer,
  MEDIA_NDJSON,
  type PublishAnswer,
  type StatsAnswer,
  type TopicsAnswer,
  type WireEvent,
} from '../protocol/wire.ts';
import { ClientError } from './client-error.ts';
import { Consumer } from './consumer.ts';
import { EventMaker } from './event-maker.ts';
import type { ConsumerOptions } from './handler.ts';
import { type SekaliOptions, systemClock } from './options.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';
import { RequestError } from './request-error.ts';
import { SubscriptionCalls } from './subscriptions.ts';
import { type TailItem, type TailOptions, tailItems } from './tail.ts';
import type { AnyTopics, Draft, EventsOf, PatternOf, Receipt, TopicOf } from './topics.ts';
import { jsonInit, printQuery, Transport } from './transport.ts';

export interface PublishOptions {
  readonly atomic?: boolean;
  readonly ack?: 'stored' | 'queued';
  readonly results?: 'all' | 'errors';
  readonly signal?: AbortSignal;
}

export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Talks to a Sekali server. A publish may be sent any number of times: the server keeps each (topic, event_id) once, so
 * every failure that may pass is simply tried again.
 */
export class Sekali<Topics extends object = AnyTopics> {
  /** Looks after subscriptions. */
  readonly subscriptions: SubscriptionCalls;
  readonly #transport: Transport;
  readonly #maker: EventMaker;

  constructor(options: SekaliOptions<Topics> = {}) {
    const { source, schemas, clock = systemClock, ...rest } = options;
    this.#transport = new Transport({ ...rest, clock });
    this.#maker = new EventMaker(source, schemas, clock);
    this.subscriptions = new SubscriptionCalls(this.#transport);
  }

  /**
   * Publishes an event, and resolves when the store has it.
   *
   * @throws ClientError when the event is not valid, with the code of the rule that it breaks, or its topic's schema refuses it
   * @throws RequestError when the server refuses the request, or does not take it in time
   */
  async publish<Topic extends TopicOf<Topics>>(
    topic: Topic,
    event: Draft<Topics[Topic]>,
    options?: Pick<PublishOptions, 'signal'>,
  ): Promise<Receipt>;
  /**
   * Publishes a batch.
   *
   * @param events the events, or their JSON text
   * @throws RequestError when the server refuses it, or does not take it in time
   */
  async publish(events: readonly WireEvent[] | string, options?: PublishOptions): Promise<PublishAnswer>;
  async publish(
    what: readonly WireEvent[] | string,
    how: PublishOptions | Draft<unknown> = {},
    { signal }: Pick<PublishOptions, 'signal'> = {},
  ): Promise<Receipt | PublishAnswer> {
    if (typeof what === 'string' && 'payload' in how) {
      return await this.#publishOne(await this.#maker.make(what, how), signal);
    }
    return await this.#publishBatch(what, how as PublishOptions);
  }

  async #publishOne(event: WireEvent, signal: AbortSignal | undefined): Promise<Receipt> {
    const options: PublishOptions = { results: 'all', ...(signal && { signal }) };
    const { results = [] } = await this.#publishBatch([event], options).catch((error: unknown) => {
      throw rejectionOf(error) ?? error;
    });
    const [{ verdict, position } = {}] = results;
    if (verdict === undefined || verdict === 'rejected' || position === null || position === undefined) {
      throw new ClientError('answer_invalid', 'the server has answered without a receipt');
    }
    return { verdict, event_id: event.event_id, position };
  }

  async #publishBatch(
    events: readonly WireEvent[] | string,
    { signal, ...query }: PublishOptions,
  ): Promise<PublishAnswer> {
    const body = typeof events === 'string' ? events : JSON.stringify(events);
    const path = `/publish${printQuery(query)}`;
    return (await this.#transport.json(path, jsonInit('POST', body), signal)) as PublishAnswer;
  }

  /** A publisher that collects events and sends them in batches. To be closed: `await using`. */
  publisher(options: PublisherOptions = {}): Publisher<Topics> {
    return new Publisher(this.#transport, this.#maker, options);
  }

  /**
   * Follows what is stored, for ever: after a break it goes on where it was.
   *
   * @param pattern of topics: `orders`, `orders.*`, `orders.>`, `>`
   * @throws RequestError when a retry cannot help: the key is wrong, the pattern is not valid
   */
  async *tail<const Pattern extends PatternOf<Topics>>(
    pattern: Pattern,
    options: TailOptions = {},
  ): AsyncGenerator<EventsOf<Topics, Pattern>, void, undefined> {
    for await (const { text } of this.tailText(pattern, options)) {
      yield JSON.parse(text) as EventsOf<Topics, Pattern>;
    }
  }

  /** As `tail`, with the events as the JSON text that came: payloads stay as they were sent. */
  tailText(pattern: string, options: TailOptions = {}): AsyncGenerator<TailItem, void, undefined> {
    return tailItems(this.#transport, pattern, options);
  }

  /** Takes events of a subscription, each until it is acknowledged. Nothing is sent before `run`. */
  consumer<const Pattern extends PatternOf<Topics>>(
    subscription: string,
    options: ConsumerOptions<Pattern> = {},
  ): Consumer<Topics, Pattern> {
    return new Consumer(this.#transport, subscription, options);
  }

  /** A page of events. It may be short or empty and not the last one: that is the one whose `next` is null. */
  async events(query: QueryParameters = {}, signal?: AbortSignal): Promise<EventsAnswer> {
    return (await this.#transport.json(`/events${printQuery(query)}`, {}, signal)) as EventsAnswer;
  }

  /** The events of a query, without a limit, as the bytes of NDJSON: payloads stay as they were sent. */
  async eventLines(query: QueryParameters = {}, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const init = { headers: { accept: MEDIA_NDJSON } };
    const response = await this.request(`/events${printQuery(query)}`, init, signal);
    return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
  }

  /** @throws RequestError `event_unknown`; `event_retired` when it was stored and retention has removed it */
  async event(topic: string, eventId: string, signal?: AbortSignal): Promise<EventAnswer> {
    const path = `/events/${encodeURIComponent(topic)}/${encodeURIComponent(eventId)}`;
    return (await this.#transport.json(path, {}, signal)) as EventAnswer;
  }

  async topics(query: QueryParameters = {}, signal?: AbortSignal): Promise<TopicsAnswer> {
    return (await this.#transport.json(`/topics${printQuery(query)}`, {}, signal)) as TopicsAnswer;
  }

  /** What publishers have not sent, or sent out of order, by their sequences. @throws RequestError `publishers_too_many` */
  async gaps(query: QueryParameters = {}, signal?: AbortSignal): Promise<GapsAnswer> {
    return (await this.#transport.json(`/gaps${printQuery(query)}`, {}, signal)) as GapsAnswer;
  }

  async stats(signal?: AbortSignal): Promise<StatsAnswer> {
    return (await this.#transport.json('/stats', {}, signal)) as StatsAnswer;
  }

  /**
   * Sends a request, again and again while that can help and time is left.
   *
   * @returns an answer with a status of 200 to 299, its body not read yet
   */
  async request(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
    return await this.#transport.request(path, init, signal);
  }
}

/** Of a request with one event: that is what was refused, not the request. */
function rejectionOf(error: unknown): ClientError | undefined {
  const errors = error instanceof RequestError ? error.problem?.['errors'] : undefined;
  const [first] = Array.isArray(errors) ? (errors as PublishAnswer['errors']) : [];
  return first && new ClientError(first.code, first.detail, { cause: error });
}
