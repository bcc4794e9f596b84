import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { messageOf } from '../../message-of.ts';
import { retryAfterMs } from './retry-delay.ts';
import type { TargetPolicy } from './target-policy.ts';

/** Of an answer, what is read at most so that its connection can be used again; its status alone counts. */
const ANSWER_BYTES_MAX = 4096;

/** Connections that wait for a next request: to one target, and for how long. */
const IDLE_CONNECTIONS_MAX = 64;
const IDLE_MS = 30_000;

export interface PostRequest {
  readonly url: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  /** For all of it: name, connection, request, answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type PostOutcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly retryAfterMs: number | undefined;
      /** Whether the target is in trouble; else it is there, and refuses this event. */
      readonly isTargetDown: boolean;
    }
  /** The receiver wants no more of it. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** The signal has been aborted before an answer came. */
  | { readonly kind: 'aborted' };

/** Sends requests to where the policy lets them go. */
export class Poster {
  readonly #policy: TargetPolicy;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor(policy: TargetPolicy) {
    this.#policy = policy;
    const options = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS_MAX, timeout: IDLE_MS };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  async post(request: PostRequest): Promise<PostOutcome> {
    const refusal = this.#policy.refusal(request.url);
    if (refusal !== undefined) return down(`the URL is refused: ${refusal}`);
    const deadline = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, deadline]);
    try {
      return outcomeOf(await this.#send({ ...request, signal }));
    } catch (error) {
      if (request.signal.aborted) return { kind: 'aborted' };
      return down(deadline.aborted ? `no answer within ${request.timeoutMs} ms` : messageOf(error));
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** Resolves with the head of the answer. */
  async #send(request: PostRequest, isAgain = false): Promise<IncomingMessage> {
    const { url, headers, body, signal } = request;
    const answer = Promise.withResolvers<IncomingMessage>();
    const { lookup } = this.#policy;
    const options = { method: 'POST', headers, lookup, signal };
    const isSecure = url.startsWith('https:');
    const sent = isSecure
      ? https.request(url, { ...options, agent: this.#agents.https })
      : http.request(url, { ...options, agent: this.#agents.http });
    sent.on('response', answer.resolve).on('error', answer.reject).end(body);
    try {
      const response = await answer.promise;
      finish(response);
      return response;
    } catch (error) {
      // The other side may close a connection that waits just when it is used again.
      const isStale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!isStale || isAgain) throw error;
      return await this.#send(request, true);
    }
  }
}

/** Reads the rest, or closes the connection where it is long. */
function finish(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): PostOutcome {
  const reason = `HTTP ${statusCode}`;
  if (statusCode >= 200 && statusCode <= 299) return { kind: 'delivered' };
  if (statusCode === 410) return { kind: 'gone', reason };
  if (statusCode >= 300 && statusCode <= 399) {
    return { ...down(`${reason}: redirects are not followed`), isTargetDown: false };
  }
  const isTargetDown = statusCode >= 500 || statusCode === 408 || statusCode === 429;
  const askedMs = retryAfterMs(headers['retry-after'], Date.now());
  return { kind: 'failed', reason, retryAfterMs: askedMs, isTargetDown };
}

function down(reason: string) {
  return { kind: 'failed', reason, retryAfterMs: undefined, isTargetDown: true } as const;
}
