import {
  type EventAnswer,
  type EventsAnswer,
  MEDIA_JSON,
  MEDIA_NDJSON,
  type ProblemAnswer,
  type PublishAnswer,
  type StatsAnswer,
  type TopicsAnswer,
  type WireEvent,
} from '../protocol/wire.ts';
import { type BackoffOptions, backoffMs, wait } from './backoff.ts';
import { RequestError } from './request-error.ts';

export interface SekaliOptions {
  /** Where the server is, as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly key?: string | undefined;
  /** How long a request is tried again before its failure is thrown. 0: never. Default 30 s. */
  readonly retryForMs?: number;
  /** How long one try may take: until its answer has come, or has begun to, where that is read as a stream. Default 30 s. */
  readonly timeoutMs?: number;
  readonly backoff?: BackoffOptions;
  /** Told of each try that failed and will be repeated. */
  readonly onRetry?: (error: RequestError, waitMs: number) => void;
  readonly fetch?: typeof fetch;
}

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
export class Sekali {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #retryForMs: number;
  readonly #timeoutMs: number;
  readonly #backoff: BackoffOptions;
  readonly #onRetry: SekaliOptions['onRetry'];
  readonly #fetch: typeof fetch;

  constructor(options: SekaliOptions) {
    this.#url = options.url.replace(/\/+$/, '');
    this.#headers = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` };
    this.#retryForMs = options.retryForMs ?? 30_000;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#backoff = options.backoff ?? { firstMs: 100, maxMs: 5000 };
    this.#onRetry = options.onRetry;
    this.#fetch = options.fetch ?? fetch;
  }

  /**
   * Publishes a batch.
   *
   * @param events the events, or their JSON text
   * @throws RequestError when the server refuses it, or does not take it in time
   */
  async publish(
    events: readonly WireEvent[] | string,
    { signal, ...query }: PublishOptions = {},
  ): Promise<PublishAnswer> {
    const body = typeof events === 'string' ? events : JSON.stringify(events);
    const init = { method: 'POST', headers: { 'content-type': MEDIA_JSON }, body };
    return (await this.#json(`/publish${printQuery(query)}`, init, signal)) as PublishAnswer;
  }

  async events(query: QueryParameters = {}, signal?: AbortSignal): Promise<EventsAnswer> {
    return (await this.#json(`/events${printQuery(query)}`, {}, signal)) as EventsAnswer;
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
    return (await this.#json(path, {}, signal)) as EventAnswer;
  }

  async topics(query: QueryParameters = {}, signal?: AbortSignal): Promise<TopicsAnswer> {
    return (await this.#json(`/topics${printQuery(query)}`, {}, signal)) as TopicsAnswer;
  }

  async stats(signal?: AbortSignal): Promise<StatsAnswer> {
    return (await this.#json('/stats', {}, signal)) as StatsAnswer;
  }

  /** The answer to a request, read to its end: one that breaks off half-way is a failed try like any other. */
  async #json(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<unknown> {
    return await this.#send(path, init, signal, (response) => response.json());
  }

  /**
   * Sends a request, again and again while that can help and time is left.
   *
   * @returns an answer with a status of 200 to 299, its body not read yet
   */
  async request(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
    return await this.#send(path, init, signal, async (response) => response);
  }

  async #send<T>(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const giveUpAt = performance.now() + this.#retryForMs;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(path, init, signal, read);
      if (!(outcome instanceof FailedTry)) return outcome.value;
      signal?.throwIfAborted();
      const waitMs = backoffMs(attempt, this.#backoff, outcome.retryAfter);
      if (!outcome.retryable || performance.now() + waitMs > giveUpAt) throw outcome;
      this.#onRetry?.(outcome, waitMs);
      await wait(waitMs, signal);
    }
  }

  async #try<T>(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<{ value: T } | FailedTry> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new Error(`it took longer than ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    let response: Response;
    try {
      response = await this.#fetch(`${this.#url}${path}`, {
        ...init,
        headers: { ...this.#headers, ...(init.headers as Record<string, string> | undefined) },
        signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
      });
      if (response.ok) return { value: await read(response) };
    } catch (cause) {
      const message = `no answer from ${this.#url}: ${reasonOf(cause)}`;
      return new FailedTry(message, { code: 'no_answer', status: 0, cause });
    } finally {
      clearTimeout(timer);
    }
    const problem = await problemOf(response);
    return new FailedTry(problem?.detail ?? `${this.#url} answered ${response.status}`, {
      code: problem?.code ?? `http_${response.status}`,
      status: response.status,
      problem,
      retryAfter: response.headers.get('retry-after'),
    });
  }
}

/** A failed try, with what the server said about the next one. */
class FailedTry extends RequestError {
  readonly retryAfter: string | null;
  constructor(
    message: string,
    {
      retryAfter = null,
      ...rest
    }: ConstructorParameters<typeof RequestError>[1] & { retryAfter?: string | null },
  ) {
    super(message, rest);
    this.retryAfter = retryAfter;
  }
}

function printQuery(query: object): string {
  const given = (Object.entries(query) as [string, unknown][]).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

async function problemOf(response: Response): Promise<ProblemAnswer | undefined> {
  try {
    return (await response.json()) as ProblemAnswer;
  } catch {
    return undefined;
  }
}

/** `fetch` says "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
