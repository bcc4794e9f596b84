import { randomBytes } from 'node:crypto';
import type { CommitGroup } from '../../store/store.ts';
import { encodeEntry } from '../entry-codec.ts';
import type { Queue, QueueState } from '../queue.ts';
import { addEntry } from './add-entry.ts';
import { Confirmations } from './confirmations.ts';
import { RedisConnection } from './connection.ts';
import { toQueueError } from './failures.ts';
import { MemoryWatch } from './memory-watch.ts';
import { keysOf, type QueueKeys, type RedisQueueOptions } from './options.ts';
import { ownQueue } from './own-queue.ts';
import { readPersistence } from './persistence.ts';
import { promiseOf, type QueuePromise } from './promise.ts';
import { readTotals } from './read-totals.ts';
import type { RedisSession } from './session.ts';

/** What is found out at the begin of each session: a server that comes back may be set up in another way. */
interface Greeting {
  readonly promise: QueuePromise;
  readonly confirmations: Confirmations;
}

/**
 * The producers' end, on Redis Streams. It does not bound how many calls are under way: each ends within some seconds,
 * and while Redis is away at once.
 */
export class RedisQueue implements Queue {
  readonly #options: RedisQueueOptions;
  readonly #keys: QueueKeys;
  readonly #watch: MemoryWatch;
  #connection: RedisConnection<Greeting> | undefined;

  private constructor(options: RedisQueueOptions) {
    this.#options = options;
    this.#keys = keysOf(options.queueKey);
    this.#watch = new MemoryWatch(options.onEvent);
  }

  static async open(options: RedisQueueOptions): Promise<RedisQueue> {
    const queue = new RedisQueue(options);
    const { onEvent } = options;
    queue.#connection = await RedisConnection.open(options.url, (session) => queue.#greet(session), {
      onLost: ({ message }) => onEvent({ kind: 'away', level: 'error', detail: message }),
      onBack: () => onEvent({ kind: 'back', level: 'info', detail: 'Redis is there again.' }),
    });
    return queue;
  }

  async enqueue(group: CommitGroup): Promise<void> {
    const body = encodeEntry(group);
    const entry = { id: randomBytes(16), events: group.events.length, body };
    await this.#using(async (session, { confirmations }) => {
      try {
        this.#watch.saw(await addEntry(session, this.#keys, entry, this.#options));
        // On the session of the write: another one would confirm what it never wrote.
        await confirmations.confirm();
      } catch (error) {
        this.#doubt(session, error);
        throw error;
      }
    });
  }

  async state(): Promise<QueueState> {
    return await this.#using(async (session, { promise }) => {
      const totals = await readTotals(session, this.#keys, this.#watch.seen);
      this.#watch.saw(totals);
      const { bytesMax } = this.#options;
      return { type: 'redis', ...totals, bytesMax, promise: promise.text, durable: promise.durable };
    });
  }

  async close(): Promise<void> {
    this.#connection!.close();
  }

  async #greet(session: RedisSession): Promise<Greeting> {
    const { queueKey, storeMark } = this.#options;
    if (storeMark !== undefined) await ownQueue(session, queueKey, storeMark);
    const facts = await readPersistence(session);
    const promise = promiseOf(facts, this.#options.replicasMin);
    const totals = await readTotals(session, this.#keys, this.#watch.seen);
    this.#watch.met(facts, promise.durable, totals);
    return { promise, confirmations: new Confirmations(session, promise.confirmation) };
  }

  /**
   * A server that refuses a write, other than for want of room, is met anew: it may be a replica by now, and its name another
   * server's; or what the greeting has found out, as what confirms a write, holds no more.
   */
  #doubt(session: RedisSession, cause: unknown): void {
    const connection = this.#connection!;
    const error = toQueueError(cause, connection.address);
    if (error.code !== 'overloaded') connection.renew(session, error);
  }

  async #using<T>(run: (session: RedisSession, greeting: Greeting) => Promise<T>): Promise<T> {
    const connection = this.#connection!;
    const { session, greeting } = connection.current;
    try {
      return await run(session, greeting);
    } catch (error) {
      throw toQueueError(error, connection.address);
    }
  }
}
