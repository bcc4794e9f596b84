import assert from 'node:assert/strict';
import type { QueueAnswer, StatsAnswer } from '../../../src/protocol/wire.ts';
import type { ProtocolCase, Target } from './case.ts';

function assertConserved(stats: StatsAnswer): void {
  const { received, unique_processed, duplicate_dropped, queued, dead_lettered } = stats;
  assert.equal(received, unique_processed + duplicate_dropped + queued + dead_lettered);
  const settled = unique_processed + duplicate_dropped;
  const rate = settled === 0 ? 0 : Math.round((10_000 * duplicate_dropped) / settled) / 100;
  assert.equal(stats.dedup_rate_percent, rate);
  assert.ok(stats.conflicts <= duplicate_dropped);
}

/** How much each counter rose. */
async function rise(server: Target, act: () => Promise<unknown>): Promise<Partial<StatsAnswer>> {
  const before = await server.stats();
  await act();
  const after = await server.stats();
  assertConserved(before);
  assertConserved(after);
  const names = [
    'received',
    'unique_processed',
    'duplicate_dropped',
    'conflicts',
    'rejected',
    'queued',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
}

const NONE = { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0, queued: 0 };

export const statsCases: readonly ProtocolCase[] = [
  {
    name: 'every event that is accepted is counted once, a conflict as dropped too, a rejected one apart',
    async run(server) {
      const [a, b] = server.events(2);
      const batch = [a, b, a, { ...a, payload: {} }, 'no event'];
      const risen = await rise(server, async () => await server.publishBody(JSON.stringify(batch)));
      assert.deepEqual(risen, {
        received: 4,
        unique_processed: 2,
        duplicate_dropped: 2,
        conflicts: 1,
        rejected: 1,
        queued: 0,
      });
    },
  },
  {
    name: 'what does not decode is not counted at all',
    async run(server) {
      const risen = await rise(server, async () => {
        await server.publishBody('{"topic":');
        await server.publishBody('[]');
        await server.publishBody(JSON.stringify(server.event()), { query: { atomic: 'perhaps' } });
      });
      assert.deepEqual(risen, NONE);
    },
  },
  {
    name: 'the sums hold at every read while events are coming in',
    async run(server) {
      const published = new AbortController();
      const reads = (async () => {
        let last = await server.stats();
        while (!published.signal.aborted) {
          const next = await server.stats();
          assertConserved(next);
          assert.ok(next.received >= last.received && next.unique_processed >= last.unique_processed);
          last = next;
        }
      })();
      const risen = await rise(server, async () => {
        const batches = Array.from({ length: 40 }, (_, i) => server.events(20 + i));
        await Promise.all(batches.map(async (batch) => await server.publish(...batch)));
      });
      published.abort();
      await reads;
      assert.deepEqual(risen, {
        ...NONE,
        received: 1580,
        unique_processed: 59,
        duplicate_dropped: 1521,
        conflicts: 0,
      });
    },
  },
  {
    name: 'the topics are named, and the clock of the server runs',
    async run(server) {
      await server.publish(server.event());
      const { topics, uptime_seconds } = await server.stats();
      assert.ok(topics.includes(server.topic()) || topics.length === 1000);
      assert.ok(uptime_seconds > 0);
      assert.ok((await server.stats()).uptime_seconds >= uptime_seconds);
    },
  },
  {
    name: 'the queue tells its size, its bounds and who works on it',
    async run(server) {
      const queue = await server.read<QueueAnswer>('/queue/stats');
      assert.match(queue.queue_type, /^(memory|redis)/);
      assert.equal(typeof queue.workers_enabled, 'boolean');
      assert.ok(queue.worker_count >= 0 && queue.queue_size >= 0 && queue.queue_bytes >= 0);
      assert.ok(queue.queue_size_max > 0 && queue.queue_bytes_max > 0);
    },
  },
];
