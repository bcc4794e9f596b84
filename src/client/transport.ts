import type { ProblemAnswer } from '../protocol/wire.ts';
import { type BackoffOptions, backoffMs } from './backoff.ts';
import {
  type ClientClock,
  type ClientLog,
  envOf,
  type SekaliOptions,
  SILENT,
  systemClock,
} from './options.ts';
import { RequestError } from './request-error.ts';
import { tell } from './tell.ts';

/** Reads an answer. What it rejects with is `no_answer`, but for a RequestError of its own. */
type Reader<T> = (response: Response) => Promise<T>;

/** Sends requests to one server, again and again while that can help and time is left. */
export class Transport {
  readonly url: string;
  readonly clock: ClientClock;
  readonly log: ClientLog;
  readonly backoff: BackoffOptions;
  readonly onRetry: SekaliOptions['onRetry'];
  readonly #key: string | undefined;
  readonly #traceparent: SekaliOptions['traceparent'];
  readonly #retryForMs: number;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(options: Omit<SekaliOptions, 'schemas'>) {
    this.url = (options.url ?? envOf('SEKALI_URL') ?? 'http://127.0.0.1:8080').replace(/\/+$/, '');
    this.#key = options.key ?? envOf('SEKALI_KEY');
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? SILENT;
    this.backoff = options.backoff ?? { firstMs: 100, maxMs: 5000 };
    this.onRetry = options.onRetry;
    this.#traceparent = options.traceparent;
    this.#retryForMs = options.retryForMs ?? 30_000;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    // Called as a function, not as a member: in a browser it would refuse another `this`.
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
  }

  /** The answer to a request, read to its end: one that breaks off half-way is a failed try like any other. */
  async json(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<unknown> {
    return (await this.send(path, init, { signal, read: (response) => response.json() })).value;
  }

  /** @returns an answer with a status of 200 to 299, its body not read yet */
  async request(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
    return (await this.send(path, init, { signal, read: async (response) => response })).value;
  }

  /**
   * @param overtimeMs what one try may take on top: the server was asked to wait
   * @param insist asked of each failure: true to try again, however long it takes and whatever the failure is
   * @returns what was read of the answer, and how many tries it took
   * @throws RequestError of the last try; the signal's reason when that is aborted
   */
  async send<T>(
    path: string,
    init: RequestInit,
    {
      signal,
      read,
      overtimeMs = 0,
      insist = () => false,
    }: {
      signal?: AbortSignal | undefined;
      read: Reader<T>;
      overtimeMs?: number;
      insist?: ((error: RequestError) => boolean) | undefined;
    },
  ): Promise<{ value: T; tries: number }> {
    const giveUpAt = performance.now() + this.#retryForMs;
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted();
      const outcome = await this.try(path, init, { signal, read, overtimeMs });
      if (!(outcome instanceof RequestError)) return { ...outcome, tries };
      signal?.throwIfAborted();
      const waitMs = backoffMs(tries, this.backoff, outcome.retryAfter);
      const isWorthIt = outcome.retryable && performance.now() + waitMs <= giveUpAt;
      if (!insist(outcome) && !isWorthIt) throw outcome;
      tell(this.log, () => this.onRetry?.(outcome, waitMs));
      await this.clock.wait(waitMs, signal);
    }
  }

  /**
   * The answer to a request that is sent once: for what would be done twice if it were sent again.
   *
   * @throws RequestError; the signal's reason when that is aborted
   */
  async jsonOnce(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    const outcome = await this.try(path, init, { signal, read: (response) => response.json() });
    if (!(outcome instanceof RequestError)) return outcome.value;
    signal?.throwIfAborted();
    throw outcome;
  }

  /** One try. The signal ends a body that is read later, too. */
  async try<T>(
    path: string,
    init: RequestInit,
    {
      signal,
      read,
      overtimeMs = 0,
    }: { signal?: AbortSignal | undefined; read: Reader<T>; overtimeMs?: number },
  ): Promise<{ value: T } | RequestError> {
    const timeoutMs = this.#timeoutMs + overtimeMs;
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new Error(`it took longer than ${timeoutMs} ms`)),
      Math.min(timeoutMs, TIMER_MAX_MS),
    );
    let response: Response;
    try {
      response = await this.#fetch(`${this.url}${path}`, {
        ...init,
        headers: { ...this.#headers(), ...(init.headers as Record<string, string> | undefined) },
        signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
      });
      if (response.ok) return { value: await read(response) };
      return await refusal(response, this.url);
    } catch (cause) {
      if (cause instanceof RequestError) return cause;
      const message = `no answer from ${this.url}: ${reasonOf(cause)}`;
      return new RequestError(message, { code: 'no_answer', status: 0, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves after a time, or when the signal is aborted. */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.clock.wait(ms, signal);
    } catch {
      // Whoever waits looks at the signal.
    }
  }

  #headers(): Record<string, string> {
    const traceparent = this.#traceparent?.();
    return {
      ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
      ...(traceparent !== undefined && { traceparent }),
    };
  }
}

/** A longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export function jsonInit(
  method: string,
  body: object | string,
  headers?: Readonly<Record<string, string>>,
): RequestInit {
  return {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

export function printQuery(query: object): string {
  const given = (Object.entries(query) as [string, unknown][]).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

async function refusal(response: Response, url: string): Promise<RequestError> {
  let problem: ProblemAnswer | undefined;
  try {
    problem = (await response.json()) as ProblemAnswer;
  } catch {
    // Not every proxy speaks RFC 9457.
  }
  return new RequestError(problem?.detail ?? `${url} answered ${response.status}`, {
    code: problem?.code ?? `http_${response.status}`,
    status: response.status,
    problem,
    retryAfter: response.headers.get('retry-after'),
  });
}

/** `fetch` says "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
