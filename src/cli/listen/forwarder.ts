import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { WireStoredEvent } from '../../client/index.ts';
import { messageId, signatures } from '../../deliver/webhooks/message.ts';
import { messageOf } from '../../message-of.ts';
import { version } from '../../version.ts';

/** Before an event is posted again for the first time; twice as long each time after it. */
const FIRST_PAUSE_MS = 500;

export interface ForwarderOptions {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly retries: number;
  /** For an answer to begin. */
  readonly timeoutMs: number;
  /** Ends the request under way, too. */
  readonly signal: AbortSignal;
}

/** One try to forward an event, as it is printed for programs. */
export interface Forwarded {
  readonly position: number;
  readonly topic: string;
  readonly event_id: string;
  /** The same for each try. */
  readonly webhook_id: string;
  /** From 1. */
  readonly attempt: number;
  readonly is_delivered: boolean;
  /** Null without an answer. */
  readonly status: number | null;
  readonly reason: string | null;
  readonly duration_ms: number;
  /** Null when there will be none. */
  readonly next_try_in_ms: number | null;
}

type Head = Pick<WireStoredEvent, 'position' | 'topic' | 'event_id'>;

/** Posts events to one URL as the server does to a webhook, one after the other. */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /**
   * Posts an event until it is taken, or has been tried often enough.
   *
   * @param text JSON text of the event, which is the body as it is
   * @returns its tries; when the signal is aborted, they end without one more
   */
  async *forward(text: string): AsyncGenerator<Forwarded, void, undefined> {
    const { retries, signal } = this.#options;
    const { position, topic, event_id } = JSON.parse(text) as Head;
    // There is no subscription, and none has this name.
    const webhook_id = messageId('', { position, topic, event_id });
    for (let attempt = 1; ; attempt++) {
      const startedAt = performance.now();
      const { status, reason } = await this.#post(webhook_id, text);
      if (signal.aborted && reason !== null) return;
      const isLast = reason === null || attempt > retries;
      const pauseMs = FIRST_PAUSE_MS * 2 ** (attempt - 1);
      yield {
        position,
        topic,
        event_id,
        webhook_id,
        attempt,
        is_delivered: reason === null,
        status,
        reason,
        duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
        next_try_in_ms: isLast ? null : pauseMs,
      };
      if (isLast) return;
      await pause(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  /** @returns no reason when it was taken */
  async #post(id: string, body: string): Promise<{ status: number | null; reason: string | null }> {
    const { url, secret, timeoutMs, signal } = this.#options;
    const seconds = Math.floor(Date.now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': `Sekali/${version}`,
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatures([secret], id, seconds, body),
    };
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const status = await post(url, { headers, body, signal: AbortSignal.any([signal, deadline]) });
      return { status, reason: reasonOf(status) };
    } catch (error) {
      return {
        status: null,
        reason: deadline.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error),
      };
    }
  }
}

interface PostOptions {
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * Not `fetch`, which refuses ports that browsers refuse, 6000 among them. A connection for each: one that waits may be closed by a
 * development server just when it is used again.
 */
async function post(url: string, { headers, body, signal }: PostOptions): Promise<number> {
  const { request } = url.startsWith('https:') ? https : http;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = request(url, { method: 'POST', headers, signal, agent: false });
  sent.on('error', reject).on('response', (response) => {
    resolve(response.statusCode ?? 0);
    // The status alone counts, and a body may have no end.
    response.on('error', () => {}).destroy();
  });
  sent.end(body);
  return await promise;
}

function reasonOf(status: number): string | null {
  if (status >= 200 && status <= 299) return null;
  return status >= 300 && status <= 399 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`;
}
