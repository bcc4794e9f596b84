import assert from 'node:assert/strict';
import { assertProblem, type ProtocolCase } from './case.ts';

/** The value of a metric without labels. */
function valueOf(text: string, name: string): number {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  assert.ok(value !== undefined, name);
  return Number(value);
}

export const metricsCases: readonly ProtocolCase[] = [
  {
    name: '/metrics tells the counters of /stats, in the format of Prometheus',
    async run(server) {
      await server.publish(server.event(), server.event({ payload: {} }));
      const stats = await server.settled();
      const answer = await server.send('/metrics');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
      const { text } = answer;
      for (const [name, value] of [
        ['events_received_total', stats.received],
        ['events_stored_total', stats.unique_processed],
        ['events_duplicates_total', stats.duplicate_dropped],
        ['events_conflicts_total', stats.conflicts],
        ['events_rejected_total', stats.rejected],
        ['events_dead_lettered_total', stats.dead_lettered],
        ['queue_events', 0],
        ['store_up', 1],
        ['readers_held_back_seconds', 0],
      ] as const) {
        assert.equal(valueOf(text, `sekali_${name}`), value, name);
      }
      assert.match(text, /^# TYPE sekali_events_received_total counter$/m);
      assert.match(text, /^# TYPE sekali_store_up gauge$/m);
      assert.ok(valueOf(text, 'process_resident_memory_bytes') > 0);
      // Each name is there once: a scraper refuses the whole page else.
      const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      assert.equal(new Set(types).size, types.length);
      assertProblem(await server.send('/metrics?name=x'), 422, 'parameter_invalid');
    },
  },
];
