/** Faults 4 and 14: instances of a cluster meet over the same keys, and over the same queue entries. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from '@redis/client';
import type { Report } from '../../src/cli/publish/report.ts';
import type { PublishAnswer, WireEvent } from '../../src/client/index.ts';
import { checkEvents, readPages, statsOf, untilDrained } from '../support/cluster/check-invariants.ts';
import { Cluster } from '../support/cluster/cluster.ts';
import type { Instance } from '../support/cluster/instance.ts';
import { Known } from '../support/cluster/known.ts';
import { eachRound, ROUNDS } from '../support/cluster/rounds.ts';
import { obeysLaw } from '../support/cluster/stats-watch.ts';
import { underLoad } from '../support/cluster/under-load.ts';
import { send } from '../support/http.ts';
import { makeEvents } from '../support/make-events.ts';
import { runCli } from '../support/process.ts';
import type { RedisServer } from '../support/services/redis-server.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres-server', 'redis-server');

/** Together 20,000, of which 35 % are events that the same publisher has sent before. */
const PUBLISHERS = [8000, 6000, 6000];

/** Of a batch; neighbours share all but `STEP` of theirs. */
const BATCH_EVENTS = 200;
const STEP = 20;
const BATCHES = 6;

describe('instances of a cluster', services.options, () => {
  test('make 13,000 events of 20,000 with 35 % duplicates', { timeout: 60_000 }, async (t) => {
    const { instances } = await Cluster.start(t);
    const reports = await Promise.all(instances.map((instance, i) => publish(instance, PUBLISHERS[i]!, i)));
    const sum = (name: 'sent' | 'distinct' | 'resent') =>
      reports.reduce((all, report) => all + report[name], 0);
    assert.deepEqual([sum('sent'), sum('distinct'), sum('resent')], [20_000, 13_000, 7000]);
    for (const instance of instances) {
      const stats = await untilDrained(instance);
      assert.deepEqual(
        [stats.received, stats.unique_processed, stats.duplicate_dropped, stats.conflicts],
        [20_000, 13_000, 7000, 0],
      );
      assert.equal(stats.dedup_rate_percent, 35);
      assert.equal((await readPages(instance)).length, 13_000);
    }
  });

  for (const atomic of [true, false]) {
    test(`store each key once that all are given at once, in overlapping batches with atomic=${atomic}, ${ROUNDS} times`, {
      timeout: 120_000,
    }, async (t) => {
      const cluster = await Cluster.start(t);
      const known = new Known();
      await eachRound(async (round) => {
        const keys = makeEvents((BATCHES - 1) * STEP + BATCH_EVENTS, `${round}-`, { payload: { round } });
        const requests = cluster.instances.flatMap((instance, i) =>
          Array.from({ length: BATCHES }, (_, batch) => {
            const events = keys.slice(batch * STEP, batch * STEP + BATCH_EVENTS);
            // Locks that are taken in the order of the batch would meet head-on.
            return publishOnce(instance, (batch + i) % 2 === 0 ? events : events.toReversed(), atomic, known);
          }),
        );
        await Promise.all(requests);
      });
      assert.deepEqual(known.problems, []);
      assert.ok([...known.sent.keys()].every((key) => known.storedCounts.get(key) === 1));
      checkEvents(await readPages(cluster.instances[0]!), known, new Map());
      const stats = await statsOf(cluster.instances[1]!);
      assert.ok(obeysLaw(stats));
      assert.deepEqual([stats.received, stats.unique_processed], [known.acknowledgedEvents, known.sent.size]);
    });
  }

  test('count once what a worker held that slept for longer than its claim', {
    timeout: 120_000,
  }, async (t) => {
    const cluster = await Cluster.start(t, { instances: 0 });
    const front = [await cluster.add({ SEKALI_WORKER_COUNT: '1' })];
    const sleeper = await cluster.add({ SEKALI_WORKER_COUNT: '4' });
    const { child } = sleeper.process;
    await underLoad(
      t,
      cluster,
      async (load) =>
        await eachRound(async () => {
          await until('it is stopped while it holds something', async () => {
            await load.more(1);
            child.kill('SIGSTOP');
            if (await holdsEntries(cluster.redis, child.pid!)) return true;
            child.kill('SIGCONT');
            return false;
          });
          // With the sleeper's entries taken over, nothing is queued but what comes in.
          await load.pauseWhile(async () => await untilDrained(front[0]!));
          child.kill('SIGCONT');
          await sleeper.untilReady();
        }, 6),
      { front, ack: 'queued' },
    );
  });
});

async function publish({ url }: Instance, total: number, seed: number): Promise<Report> {
  const env = { TARGET_URL: url, TOTAL_EVENTS: String(total), DUP_RATE: '0.35', BATCH_SIZE: '100' };
  const topics = ['--topics', `topic-${seed}`];
  const { code, stdout, stderr } = await runCli(['publish', '--seed', String(seed), ...topics], { env });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Report;
}

/** Whether a worker of this process has claimed what it has not acknowledged; the names of workers have it (redis-consumer.ts). */
async function holdsEntries({ url }: RedisServer, pid: number): Promise<boolean> {
  const client = createClient({ url, RESP: 2 });
  await client.connect();
  try {
    const consumers = (await client.sendCommand([
      'XINFO',
      'CONSUMERS',
      '{sekali}:entries',
      'sekali',
    ])) as unknown as [string, string, string, number][];
    return consumers.some(([, name, , pending]) => name.includes(`-${pid}-`) && pending > 0);
  } finally {
    client.destroy();
  }
}

/** Until it is acknowledged. */
async function publishOnce(
  { url }: Instance,
  events: readonly WireEvent[],
  atomic: boolean,
  known: Known,
): Promise<void> {
  const body = JSON.stringify(events);
  known.send(events);
  const answer = await until('a batch is acknowledged', async () => {
    const headers = { 'content-type': 'application/json' };
    const tried = await send(url, `/publish?ack=stored&results=all&atomic=${atomic}`, {
      method: 'POST',
      headers,
      body,
    });
    known.hold(tried.status === 200 || tried.status === 503, `an answer ${tried.status}: ${tried.text}`);
    return tried.status === 200 && tried;
  });
  known.acknowledge(events, 'stored', answer.json<PublishAnswer & Record<string, unknown>>());
}
