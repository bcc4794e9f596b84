import { setTimeout as pause } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import { addressOf, createClient } from './driver.ts';
import { toQueueError } from './failures.ts';
import { RedisSession } from './session.ts';

/** What a user of a connection does first on each session, and keeps beside it. */
export type Greet<Greeting> = (session: RedisSession) => Promise<Greeting>;

export interface ConnectionEvents {
  onLost(error: SekaliError): void;
  onBack(): void;
}

const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 2000;

/**
 * A connection that comes back. It is *up*: it has a session, and what its greeting has found out; *away*: it tries to
 * connect, at growing distances, and whoever wants it fails at once; or *closed*.
 *
 * The driver could reconnect too. But what was confirmed, and which entries a consumer was given, holds for one session only;
 * so a session is a thing here, and nothing that was meant for one is ever sent on the next.
 */
export class RedisConnection<Greeting> {
  readonly address: string;
  readonly #url: string;
  readonly #greet: Greet<Greeting>;
  readonly #events: ConnectionEvents;
  readonly #closing = new AbortController();
  #up: { session: RedisSession; greeting: Greeting } | undefined;
  #reason: SekaliError | undefined;

  private constructor(url: string, greet: Greet<Greeting>, events: ConnectionEvents) {
    this.address = addressOf(url);
    this.#url = url;
    this.#greet = greet;
    this.#events = events;
  }

  /** Up, or it throws: `queue_unavailable`, `config_invalid`. */
  static async open<Greeting>(
    url: string,
    greet: Greet<Greeting>,
    events: ConnectionEvents,
  ): Promise<RedisConnection<Greeting>> {
    const connection = new RedisConnection(url, greet, events);
    await connection.#connect();
    return connection;
  }

  /** The session of now. @throws SekaliError `queue_unavailable` */
  get current(): { session: RedisSession; greeting: Greeting } {
    if (this.#up !== undefined) return this.#up;
    throw this.#reason ?? new SekaliError('queue_unavailable', 'The queue is closed.');
  }

  /** Gives up a session, if it is that of now, and connects anew. */
  renew(session: RedisSession, cause: unknown): void {
    if (this.#up?.session !== session) return;
    session.end();
    this.#lose(session, cause);
  }

  close(): void {
    this.#closing.abort();
    this.#reason = undefined;
    this.#up?.session.end();
    this.#up = undefined;
  }

  async #connect(): Promise<void> {
    let lost = false;
    let session: RedisSession | undefined;
    try {
      session = await RedisSession.open(await createClient(this.#url), (cause) => {
        lost = true;
        this.#lose(session, cause);
      });
      const greeting = await this.#greet(session);
      if (lost) throw new Error('The connection was lost again.');
      if (this.#closing.signal.aborted) session.end();
      else this.#up = { session, greeting };
    } catch (cause) {
      session?.end();
      throw toQueueError(cause, this.address);
    }
  }

  /** A session that ends before it is greeted has never been up: whoever greets it fails. */
  #lose(session: RedisSession | undefined, cause: unknown): void {
    if (this.#up === undefined || this.#up.session !== session) return;
    this.#up = undefined;
    this.#reason = toQueueError(cause, this.address);
    this.#events.onLost(this.#reason);
    void this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#closing;
    for (
      let backoffMs = BACKOFF_FIRST_MS;
      !signal.aborted;
      backoffMs = Math.min(2 * backoffMs, BACKOFF_MAX_MS)
    ) {
      try {
        // By chance up to a half less: not all instances at once.
        await pause(backoffMs * (1 - Math.random() / 2), undefined, { signal });
        await this.#connect();
        if (this.#up !== undefined) this.#events.onBack();
        return;
      } catch (error) {
        if (!signal.aborted) this.#reason = toQueueError(error, this.address);
      }
    }
  }
}
