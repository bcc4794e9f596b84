import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogMessage } from '../../src/consume/consume-messages.ts';
import { Workers } from '../../src/consume/workers.ts';
import { openQueue } from '../../src/queue/open-queue.ts';
import type { Queue } from '../../src/queue/queue.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { storeMarkOf } from '../../src/store/store-mark.ts';
import { BYTES_MAX, groupOf } from '../contract/queue/case.ts';
import { useServices } from '../support/services/services.ts';
import { TcpProxy } from '../support/services/tcp-proxy.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres', 'redis');
const CLAIM_MS = 2000;

/** A queue and a database, each behind a network that can be cut, and workers between them. */
class Journey implements AsyncDisposable {
  readonly queue: Queue;
  readonly store: PostgresStore;
  readonly networks: { readonly postgres: TcpProxy; readonly redis: TcpProxy };
  readonly workers: Workers;
  readonly logged: LogMessage[] = [];
  readonly deaths: unknown[] = [];

  private constructor(
    ends: { queue: Queue; store: PostgresStore },
    networks: Journey['networks'],
    urls: { databaseUrl: string; redisUrl: string; queueKey: string },
  ) {
    this.queue = ends.queue;
    this.store = ends.store;
    this.networks = networks;
    const { postgres, redis } = networks;
    const queue = {
      url: redis.url(urls.redisUrl),
      queueKey: urls.queueKey,
      bytesMax: BYTES_MAX,
      claimMs: CLAIM_MS,
      replicasMin: 0,
    };
    this.workers = new Workers(
      { databaseUrl: postgres.url(urls.databaseUrl), queue, workerCount: 2 },
      { onLog: (message) => this.logged.push(message), onDeath: (error) => this.deaths.push(error) },
    );
  }

  static async begin(): Promise<Journey> {
    const databaseUrl = await services.postgres();
    const { url: redisUrl, key: queueKey } = await services.redis();
    const settings = { bytesMax: BYTES_MAX, claimMs: CLAIM_MS, replicasMin: 0, onEvent: () => {} };
    const queue = await openQueue({ url: redisUrl, queueKey, ...settings });
    const store = await PostgresStore.open({ databaseUrl });
    const networks = {
      postgres: await TcpProxy.to(Number(new URL(databaseUrl).port || 5432)),
      redis: await TcpProxy.to(Number(new URL(redisUrl).port || 6379)),
    };
    return new Journey({ queue, store }, networks, { databaseUrl, redisUrl, queueKey });
  }

  start(): void {
    this.workers.start(storeMarkOf(this.store.secrets));
  }

  async enqueue(prefix: string, count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, i) => this.queue.enqueue(groupOf(`${prefix}${i}`))));
  }

  async drained(): Promise<void> {
    await until('an empty queue', async () => (await this.queue.state()).entries === 0);
  }

  /** Events stored, each once; and what the queue's account says of it. */
  async assertStored(count: number): Promise<void> {
    const { received, unique_processed, duplicate_dropped, dead_lettered, consumed } =
      await this.store.counters();
    const { epoch } = await this.queue.state();
    assert.deepEqual(
      { received, unique_processed, duplicate_dropped, dead_lettered, consumed },
      {
        received: count,
        unique_processed: count,
        duplicate_dropped: 0,
        dead_lettered: 0,
        consumed: { [epoch]: count },
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workers.close();
    await this.queue.close();
    await this.store.close();
    await this.networks.postgres[Symbol.asyncDispose]();
    await this.networks.redis[Symbol.asyncDispose]();
    assert.deepEqual(this.deaths, []);
  }
}

test('workers bring what is enqueued to the store, before and while they run', services.options, async () => {
  await using journey = await Journey.begin();
  await journey.enqueue('early', 50);
  journey.start();
  await until('two workers', async () => journey.workers.count === 2);
  await journey.enqueue('late', 50);
  await journey.drained();
  await journey.assertStored(100);
  assert.equal(journey.workers.downReason, undefined);
});

for (const away of ['postgres', 'redis'] as const) {
  test(`workers that start while ${away} is away wait for it`, services.options, async () => {
    await using journey = await Journey.begin();
    await journey.networks[away].cut();
    await journey.enqueue('early', 20);
    journey.start();
    await until('the reason', async () => /refused|connect|reach/i.test(journey.workers.downReason ?? ''));
    await journey.networks[away].heal();
    await journey.drained();
    await journey.assertStored(20);
    await until('a sound state', async () => journey.workers.downReason === undefined);
  });

  test(
    `workers that lose ${away} meanwhile go on when it is back, and count nothing twice`,
    services.options,
    async () => {
      await using journey = await Journey.begin();
      journey.start();
      await until('two workers', async () => journey.workers.count === 2);
      const enqueuing = journey.enqueue('event', 300);
      await until('a first event', async () => (await journey.store.lastPosition()) > 0);
      await journey.networks[away].cut();
      await enqueuing;
      await until('the reason', async () => journey.workers.downReason !== undefined);
      await journey.networks[away].heal();
      await journey.drained();
      await journey.assertStored(300);
      await until('a sound state', async () => journey.workers.downReason === undefined);
    },
  );
}
