import { setTimeout as pause } from 'node:timers/promises';
import type { StoredSignal } from '../store-reader.ts';
import { connect, type SqlClient } from './connection.ts';
import { STORED_CHANNEL } from './notifier.ts';

/** Listeners are woken after this time at the latest, for a notification of the time without a connection comes never. */
const POLL_MS = 1000;

/** Pauses before the next connection is tried: doubled each time. */
const RETRY_MS = { first: 100, last: 5000 };

type Listener = () => void;
type ListeningClient = SqlClient & {
  on(event: 'notification' | 'end', listener: () => void): unknown;
};

export interface WakerOptions {
  readonly databaseUrl: string;
  readonly pollMs?: number | undefined;
}

/**
 * Wakes whoever waits for new events: at each notification (notifier.ts), and once a second besides. It tells that there may be
 * something, never what; a reader that is woken reads.
 *
 * It has a connection of its own while it has listeners, and opens it again whenever it breaks.
 */
export class Waker implements StoredSignal {
  readonly #databaseUrl: string;
  readonly #pollMs: number;
  readonly #listeners = new Set<Listener>();
  #listening: Listening | undefined;

  constructor({ databaseUrl, pollMs = POLL_MS }: WakerOptions) {
    this.#databaseUrl = databaseUrl;
    this.#pollMs = pollMs;
  }

  /** @returns what ends it */
  onStored(listener: Listener): () => void {
    // A function of its own, so that the same one may be there twice.
    const own = () => listener();
    this.#listeners.add(own);
    this.#listening ??= new Listening(this.#databaseUrl, this.#pollMs, () => {
      for (const wake of this.#listeners) wake();
    });
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) void this.close();
    };
  }

  /** Ends the connection; another listener opens one again. */
  async close(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.stop();
  }
}

/** One time of listening: from the first listener to the last. */
class Listening {
  readonly #databaseUrl: string;
  readonly #wake: () => void;
  readonly #poll: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  constructor(databaseUrl: string, pollMs: number, wake: () => void) {
    this.#databaseUrl = databaseUrl;
    this.#wake = wake;
    this.#poll = setInterval(wake, pollMs);
    this.#poll.unref();
    this.#loop = this.#listen();
  }

  async stop(): Promise<void> {
    clearInterval(this.#poll);
    this.#stopped.abort();
    await this.#loop;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopped;
    let retryMs = RETRY_MS.first;
    while (!signal.aborted) {
      try {
        await this.#listenOnce();
        retryMs = RETRY_MS.first;
      } catch {
        // Whoever reads is told by the read what is wrong; here it is only tried again.
        retryMs = Math.min(2 * retryMs, RETRY_MS.last);
      }
      await pause(retryMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Listens until the connection ends. */
  async #listenOnce(): Promise<void> {
    const client = (await connect(this.#databaseUrl)) as ListeningClient;
    const { signal } = this.#stopped;
    const end = () => void client.end().catch(() => {});
    try {
      const ended = new Promise<void>((resolve) => client.on('end', resolve));
      client.on('notification', () => this.#wake());
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) return;
      await client.query(`LISTEN ${STORED_CHANNEL}`);
      // What came before this is not told.
      this.#wake();
      await ended;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }
}
