/** Faults 13 to 15: PostgreSQL and Redis end without a word under load, and are there again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readPages, statsOf, untilDrained } from '../support/cluster/check-invariants.ts';
import { Cluster } from '../support/cluster/cluster.ts';
import { eachRound, ROUNDS } from '../support/cluster/rounds.ts';
import { obeysLaw } from '../support/cluster/stats-watch.ts';
import { underLoad } from '../support/cluster/under-load.ts';
import { makeEvents } from '../support/make-events.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres-server', 'redis-server');

describe('a cluster whose servers end', services.options, () => {
  test(`goes on by itself when PostgreSQL is back, ${ROUNDS} times`, { timeout: 180_000 }, async (t) => {
    const cluster = await Cluster.start(t);
    await underLoad(t, cluster, async (load) => {
      await eachRound(async () => {
        await load.more();
        await cluster.postgres.kill('immediate');
        await cluster.untilNotReady();
        await cluster.postgres.start();
        await cluster.untilReady();
      });
      assert.ok(load.known.refusals >= ROUNDS, `${load.known.refusals} requests were refused meanwhile`);
    });
  });

  test(`goes on by itself when Redis is back, ${ROUNDS} times`, { timeout: 180_000 }, async (t) => {
    const cluster = await Cluster.start(t);
    await underLoad(t, cluster, async (load) => {
      await eachRound(async () => {
        await load.more();
        await cluster.redis.kill();
        await cluster.untilNotReady();
        await cluster.redis.restart();
        await cluster.untilReady();
      });
      assert.ok(load.known.refusals >= ROUNDS, `${load.known.refusals} requests were refused meanwhile`);
    });
  });

  test('takes events for the queue while PostgreSQL is away, and stores them afterwards', async (t) => {
    const cluster = await Cluster.start(t, { instances: 2 });
    await underLoad(
      t,
      cluster,
      async (load) => {
        await load.more();
        await cluster.postgres.kill('immediate');
        await cluster.untilNotReady();
        await load.more(50);
        await cluster.postgres.start();
        await cluster.untilReady();
        assert.equal(load.known.refusals, 0);
      },
      { ack: 'queued' },
    );
  });

  test('says so loudly when Redis has lost its memory, and keeps the law and what is stored', async (t) => {
    const cluster = await Cluster.start(t, { instances: 2, redis: { appendonly: false } });
    const [one, other] = cluster.instances;
    await one!.process.client().publish(makeEvents(100, 'stored-'));
    await untilDrained(one!);
    const before = await readPages(one!);
    assert.equal(before.length, 100);

    await cluster.redis.restart();
    await cluster.untilReady();
    for (const instance of cluster.instances) {
      await until('it is told', async () => /"level":50.*Redis has lost its memory/.test(instance.logText));
      assert.deepEqual(await readPages(instance), before);
      const stats = await statsOf(instance);
      assert.ok(obeysLaw(stats), JSON.stringify(stats));
      assert.deepEqual([stats.received, stats.queued], [100, 0]);
    }

    await other!.process.client().publish(makeEvents(150, 'stored-'));
    await until('what is new is stored', async () => (await readPages(one!)).length === 150);
    assert.deepEqual((await readPages(one!)).slice(0, 100), before);
    const { received, unique_processed, duplicate_dropped } = await untilDrained(one!);
    assert.deepEqual([received, unique_processed, duplicate_dropped], [250, 150, 100]);
  });
});
