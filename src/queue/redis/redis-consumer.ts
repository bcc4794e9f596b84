import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Entry, QueueConsumer } from '../queue.ts';
import { claimNew, isGroupGone, makeGroup } from './claim-new.ts';
import { claimOwn } from './claim-own.ts';
import { CURSOR_START, claimStale } from './claim-stale.ts';
import { RedisConnection } from './connection.ts';
import { endEntries } from './end-entries.ts';
import { toQueueError } from './failures.ts';
import { forgetConsumers, letGo } from './leave-group.ts';
import { keysOf, type QueueKeys, type RedisQueueOptions } from './options.ts';
import { ownQueue } from './own-queue.ts';
import type { RedisSession } from './session.ts';

/** Waiting is cut into pieces, so that whoever ends it waits no longer than this for the piece that is under way. */
const BLOCK_MS_MAX = 250;

const FORGET_EVERY_MS = 600_000;

type Claim = Parameters<QueueConsumer['claim']>[0];

/**
 * A worker's end, on Redis Streams. Entries come from three places, in this order:
 *
 * 1. *own*, only after a connection was lost: what was given to this consumer and is not acknowledged, among it what was on
 *    its way when the connection broke, and what it could not acknowledge any more. Nobody else works on it, so to let `claimMs`
 *    pass would only make it late. One bundle of it may be on its way to the store just then: the store knows it the second time.
 * 2. *stale*: what any consumer has had for longer than `claimMs`. Searched for every quarter of that, and as long as some is found.
 * 3. *new*.
 */
export class RedisConsumer implements QueueConsumer {
  readonly #keys: QueueKeys;
  readonly #claimMs: number;
  /** Unique: what is pending under a name is this object's. */
  readonly #name = `${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`;
  #connection: RedisConnection<void> | undefined;
  /** Place after which own entries are read; undefined: there are none to be read. */
  #ownAfter: string | undefined;
  #staleCursor = CURSOR_START;
  #staleAt = 0;
  #forgetAt = performance.now() + FORGET_EVERY_MS;

  private constructor({ queueKey, claimMs }: RedisQueueOptions) {
    this.#keys = keysOf(queueKey);
    this.#claimMs = claimMs;
  }

  static async open(options: RedisQueueOptions): Promise<RedisConsumer> {
    const consumer = new RedisConsumer(options);
    consumer.#connection = await RedisConnection.open(options.url, (session) => greet(session, options), {
      onLost: ({ message }) =>
        options.onEvent({ kind: 'away', level: 'warn', detail: `A worker: ${message}` }),
      onBack() {
        consumer.#ownAfter = CURSOR_START;
        consumer.#staleAt = 0;
        options.onEvent({ kind: 'back', level: 'info', detail: 'A worker has Redis again.' });
      },
    });
    return consumer;
  }

  async claim({ entriesMax, waitMs, signal }: Claim): Promise<Entry[]> {
    return await this.#using(async (session) => {
      const endAt = performance.now() + waitMs;
      do {
        if (signal.aborted) return [];
        const entries = await this.#claimOnce(session, entriesMax, endAt);
        if (!signal.aborted && entries.length > 0) return entries;
        await letGo(session, this.#keys, this.#name, entries, this.#claimMs);
      } while (performance.now() < endAt);
      return [];
    });
  }

  async ack(entries: readonly Entry[]): Promise<void> {
    await this.#using((session) => endEntries(session, this.#keys, entries));
  }

  async close(): Promise<void> {
    // Whoever closes may do so because Redis is gone.
    await this.#using((session) => forgetConsumers(session, this.#keys, this.#name)).catch(() => {});
    this.#connection!.close();
  }

  async #claimOnce(session: RedisSession, entriesMax: number, endAt: number): Promise<Entry[]> {
    const pending = await this.#claimPending(session, entriesMax);
    if (pending.length > 0) return pending;
    const now = performance.now();
    const blockMs = Math.max(0, Math.min(BLOCK_MS_MAX, endAt - now, this.#staleAt - now));
    return await claimNew(session, this.#keys, this.#name, entriesMax, blockMs);
  }

  async #claimPending(session: RedisSession, entriesMax: number): Promise<Entry[]> {
    try {
      const own = await this.#claimOwn(session, entriesMax);
      return own.length > 0 ? own : await this.#claimStale(session, entriesMax);
    } catch (error) {
      // A new memory has nothing pending.
      if (!isGroupGone(error)) throw error;
      await makeGroup(session, this.#keys);
      return [];
    }
  }

  async #claimOwn(session: RedisSession, entriesMax: number): Promise<Entry[]> {
    if (this.#ownAfter === undefined) return [];
    const entries = await claimOwn(session, this.#keys, this.#name, { after: this.#ownAfter, entriesMax });
    this.#ownAfter = entries.at(-1)?.place;
    return entries;
  }

  async #claimStale(session: RedisSession, entriesMax: number): Promise<Entry[]> {
    const now = performance.now();
    if (now < this.#staleAt) return [];
    const search = { claimMs: this.#claimMs, cursor: this.#staleCursor, entriesMax };
    const { cursor, entries } = await claimStale(session, this.#keys, this.#name, search);
    this.#staleCursor = cursor;
    if (entries.length === 0 && cursor === CURSOR_START) this.#staleAt = now + this.#claimMs / 4;
    if (now >= this.#forgetAt) {
      this.#forgetAt = now + FORGET_EVERY_MS;
      await forgetConsumers(session, this.#keys);
    }
    return entries;
  }

  async #using<T>(run: (session: RedisSession) => Promise<T>): Promise<T> {
    const connection = this.#connection!;
    const { session } = connection.current;
    try {
      return await run(session);
    } catch (error) {
      throw toQueueError(error, connection.address);
    }
  }
}

/** Whoever finds no group makes it then: all that a consumer needs to know before it asks is whose the queue is. */
async function greet(session: RedisSession, { queueKey, storeMark }: RedisQueueOptions): Promise<void> {
  if (storeMark !== undefined) await ownQueue(session, queueKey, storeMark);
}
