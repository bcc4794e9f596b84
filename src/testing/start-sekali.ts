import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { systemClock } from '../clock.ts';
import { topicsOf } from '../deliver/delivery-reader.ts';
import { Subscriptions } from '../deliver/subscriptions.ts';
import type { Parts } from '../http/parts.ts';
import { LocalCommitQueue } from '../ingest/local-commit-queue.ts';
import { createLog } from '../log.ts';
import type { WireStoredEvent } from '../protocol/wire.ts';
import { type Server, serve } from '../server.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { MemorySubscriptions } from '../store/memory/memory-subscriptions.ts';
import { printEvent } from '../store/print-event.ts';
import { patternRule } from '../topic-filter.ts';
import type { FailureOptions, PlannedFailure } from './failure-options.ts';
import { Failures } from './failures.ts';
import { configOf } from './test-config.ts';
import type { TestSekali, TestSekaliOptions } from './test-sekali.ts';
import { UnderWay } from './under-way.ts';

/** A client may be in the midst of sending, and stay there. */
const UNDER_WAY_MS = 1000;

/**
 * Starts a Sekali in this process, on a port of 127.0.0.1: nothing on a disk, no thread, and as many beside one another as are wanted. A
 * process does not end by itself while one runs.
 *
 * @throws SekaliError `config_invalid` with every problem of the options; what `listen` throws when a port is taken
 */
export async function startSekali(options: TestSekaliOptions = {}): Promise<TestSekali> {
  const config = configOf(options);
  const store = new MemoryStore({ dedupWindow: config.dedupWindow });
  const subscriptions = new MemorySubscriptions(systemClock);
  const { eventBytesMax, depthMax, eventsMax } = config;
  const queue = new LocalCommitQueue(store, { eventBytesMax, depthMax, eventsMax });
  const deliveries = new Subscriptions({ store: subscriptions, reader: store });
  const close = () => queue.close();
  const backend = {
    queue,
    reader: store,
    stored: queue,
    deliveries,
    backlog: undefined,
    workers: undefined,
    close,
  };
  const edge = Promise.withResolvers<Pick<Pieces, 'app' | 'parts' | 'failures' | 'underWay'>>();
  const server = await serve(config, createLog(config), backend, (app, parts) =>
    edge.resolve({ app, parts, failures: new Failures(app), underWay: new UnderWay(app) }),
  );
  return new MemorySekali({ ...(await edge.promise), server, queue, store, subscriptions });
}

interface Pieces {
  readonly server: Pick<Server, 'url' | 'stop'>;
  readonly queue: LocalCommitQueue;
  readonly store: MemoryStore;
  readonly subscriptions: MemorySubscriptions;
  readonly app: FastifyInstance;
  readonly parts: Parts;
  readonly failures: Failures;
  readonly underWay: UnderWay;
}

class MemorySekali implements TestSekali {
  readonly url: string;
  readonly #pieces: Pieces;
  #stopped: Promise<void> | undefined;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
    this.url = pieces.server.url;
  }

  async events(topic?: string): Promise<WireStoredEvent[]> {
    const rule = topic === undefined ? undefined : patternRule(topic);
    if (rule !== undefined) throw new TypeError(`events: ${rule}`);
    const query = {
      ...(topic !== undefined && topicsOf([topic])),
      order: 'asc',
      offset: 0,
      limit: 1000,
    } as const;
    const events: WireStoredEvent[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await this.#pieces.store.events({ ...query, after });
      events.push(...page.events.map((event) => JSON.parse(printEvent(event)) as WireStoredEvent));
      after = page.next;
    }
    return events;
  }

  failNext(failure?: FailureOptions): PlannedFailure {
    return this.#pieces.failures.plan(failure);
  }

  async clear(): Promise<void> {
    const { failures, underWay, queue, subscriptions, store, parts } = this.#pieces;
    failures.clear();
    await underWay.ended(UNDER_WAY_MS);
    await queue.settled(); // a client that gave up has left what it sent
    const all = { after: undefined, limit: Number.POSITIVE_INFINITY };
    for (const { name } of await subscriptions.list(all)) await this.#remove(name);
    store.clear();
    await nextTurn(); // what was read before has come to those who follow
    parts.tail.forget();
  }

  /** As a client would, so that whoever waits for events of it is told. */
  async #remove(name: string): Promise<void> {
    const { app, parts } = this.#pieces;
    const headers = { authorization: `Bearer ${parts.config.apiKey ?? ''}` };
    await app.inject({ method: 'DELETE', url: `/subscriptions/${encodeURIComponent(name)}`, headers });
  }

  stop(): Promise<void> {
    this.#pieces.failures.release();
    this.#stopped ??= this.#pieces.server.stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
