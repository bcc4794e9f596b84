/** Faults 1, 13 and 14: instances of a cluster are killed, at random under load and at enumerated steps. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventAnswer, PublishAnswer } from '../../src/client/index.ts';
import { CONSUME_FAILPOINTS } from '../../src/failpoint.ts';
import { readPages, statsOf } from '../support/cluster/check-invariants.ts';
import { Cluster } from '../support/cluster/cluster.ts';
import { eachRound, inTurn, ROUNDS } from '../support/cluster/rounds.ts';
import { underLoad } from '../support/cluster/under-load.ts';
import { send } from '../support/http.ts';
import { makeEvents } from '../support/make-events.ts';
import { useServices } from '../support/services/services.ts';

const services = useServices('postgres-server', 'redis-server');

/** Steps of a worker, those of its store's transaction among them. */
const WORKER_STEPS = [...CONSUME_FAILPOINTS, 'append.begun', 'commit.before', 'commit.after'] as const;

/** Starting instances is work enough for the processors. */
const LIGHT = { publishers: 3, pauseMs: 30 };

describe('a cluster whose instances are killed', services.options, () => {
  test(`loses and doubles nothing, ${ROUNDS} times under load`, { timeout: 180_000 }, async (t) => {
    const cluster = await Cluster.start(t);
    await underLoad(
      t,
      cluster,
      async (load) =>
        await eachRound(async (round) => {
          const victim = inTurn(cluster.instances, round);
          await load.more();
          await victim.kill();
          await victim.start();
        }),
      { ...LIGHT, mayHangUp: true },
    );
  });

  test(`counts once what a worker held that was killed at any step, ${ROUNDS} times`, {
    timeout: 180_000,
  }, async (t) => {
    const cluster = await Cluster.start(t, { instances: 0 });
    const front = [
      await cluster.add({ SEKALI_DISABLE_WORKERS: '1' }),
      await cluster.add({ SEKALI_WORKER_COUNT: '1' }),
    ];
    const doomed = await cluster.prepare();
    // Nothing happens to those that publishers talk to, so each event is counted, and none can be counted twice unseen.
    await underLoad(
      t,
      cluster,
      async () =>
        await eachRound(async (round) => {
          await doomed.die(`${inTurn(WORKER_STEPS, round)}:${1 + Math.floor(round / WORKER_STEPS.length)}`);
        }),
      { ...LIGHT, front, ack: 'queued' },
    );
  });

  for (const point of ['commit.after', 'answer.before'] as const) {
    test(`answers a retry with the position of the try that died at ${point}`, async (t) => {
      const cluster = await Cluster.start(t, { instances: 1 });
      const doomed = await cluster.prepare({ SEKALI_DISABLE_WORKERS: '1' });
      await eachRound(async (round) => {
        await doomed.start({ SEKALI_FAILPOINT: `${point}:1` });
        const body = JSON.stringify(makeEvents(10, `${round}-`));
        const publish = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
        await assert.rejects(send(doomed.url, '/publish?ack=stored&results=all', publish));
        await doomed.untilDead();
        const [well] = cluster.instances;
        const stored = (await readPages(well!)).slice(-10);
        const retry = await send(well!.url, '/publish?ack=stored&results=all', publish);
        const { duplicates, results } = retry.json<PublishAnswer & Record<string, unknown>>();
        assert.equal(duplicates, 10);
        for (const [i, receipt] of results!.entries()) {
          assert.deepEqual([receipt.event_id, receipt.position], [`${round}-${i}`, stored[i]?.position]);
        }
        const one = await well!.get(`/events/orders/${round}-0`);
        assert.equal(one.json<EventAnswer & Record<string, unknown>>().position, stored[0]?.position);
        const { received, unique_processed } = await statsOf(well!);
        assert.deepEqual([received, unique_processed], [20 * (round + 1), 10 * (round + 1)]);
      }, 3);
    });
  }

  test('keeps once what was enqueued by an instance that died before it answered', async (t) => {
    const cluster = await Cluster.start(t, { instances: 2 });
    const doomed = await cluster.prepare({ SEKALI_DISABLE_WORKERS: '1' });
    await underLoad(
      t,
      cluster,
      async (load) =>
        await eachRound(async () => {
          await doomed.die('answer.before:5');
          await load.more();
        }, 5),
      {
        ...LIGHT,
        front: [...cluster.instances, doomed],
        readers: cluster.instances,
        ack: 'queued',
        mayHangUp: true,
      },
    );
  });
});
