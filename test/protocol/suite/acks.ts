import assert from 'node:assert/strict';
import type { PublishAnswer, StatsAnswer } from '../../../src/protocol/wire.ts';
import { until } from '../../support/until.ts';
import { assertProblem, type ProtocolCase } from './case.ts';

/** What an answer of ack=queued says: nothing of what becomes of the events, or all of it, where no queue server is there. */
function assertTaken(answer: PublishAnswer, accepted: number): void {
  const { queued, processed, duplicates, conflicts } = answer;
  assert.equal(answer.accepted, accepted);
  if (processed === null) {
    assert.deepEqual(
      { queued, duplicates, conflicts },
      { queued: accepted, duplicates: null, conflicts: null },
    );
  } else assert.equal(processed + duplicates! + conflicts!, accepted);
}

const counted = ({ received, unique_processed, duplicate_dropped, conflicts }: StatsAnswer) => [
  received,
  unique_processed,
  duplicate_dropped,
  conflicts,
];

export const ackCases: readonly ProtocolCase[] = [
  {
    name: 'what is acknowledged as queued, or without asking for any acknowledgement, is stored soon, and once',
    async run(server) {
      const before = await server.settled();
      const [a, b, c] = server.events(3);
      const batch = JSON.stringify([a, b, a, { ...b, payload: {} }]);
      const queued = await server.publishBody(batch, { query: { ack: 'queued' } });
      assert.equal(queued.status, 200, queued.text);
      assertTaken(queued.json(), 4);
      const silent = await server.send('/publish', { method: 'POST', body: JSON.stringify([c, b]) });
      assertTaken(silent.json(), 2);
      const after = await server.settled();
      assert.deepEqual(
        counted(after).map((count, i) => count - counted(before)[i]!),
        [6, 3, 3, 1],
      );
      assert.deepEqual((await server.ids()).toSorted(), ['e0', 'e1', 'e2']);
    },
  },
  {
    name: 'a key is one key, whichever way its events come',
    async run(server) {
      const event = server.event();
      const other = { ...event, payload: { other: true } };
      const before = await server.settled();
      await server.publishBody(JSON.stringify(event), { query: { ack: 'queued' } });
      await server.settled();
      assert.deepEqual(await server.verdicts(event, other), ['duplicate', 'conflict']);
      await server.publishBody(JSON.stringify([event, other]), { query: { ack: 'queued' } });
      const after = await server.settled();
      assert.deepEqual(
        counted(after).map((count, i) => count - counted(before)[i]!),
        [5, 1, 4, 2],
      );
    },
  },
  {
    name: 'whoever asks for results, or for all or nothing, is answered after the commit whatever ack says',
    async run(server) {
      for (const [i, query] of [{ results: 'all' }, { atomic: true }, { ack: 'stored' }].entries()) {
        const body = JSON.stringify(server.event({ event_id: `e${i}` }));
        const answer = await server.publishBody(body, { query: { ack: 'queued', ...query } });
        const { queued, processed } = answer.json<PublishAnswer>();
        assert.deepEqual({ queued, processed }, { queued: 0, processed: 1 });
      }
      assert.deepEqual(await server.ids(), ['e0', 'e1', 'e2']);
    },
  },
  {
    name: 'what is not valid is told at once, and counted, with ack=queued too',
    async run(server) {
      const before = await server.settled();
      const partial = await server.publishBody(JSON.stringify([server.event(), 1]), {
        query: { ack: 'queued' },
      });
      const { status, accepted, errors } = partial.json<PublishAnswer>();
      assert.deepEqual([status, accepted, errors[0]?.code], ['partial', 1, 'not_an_object']);
      const none = await server.publishBody('[{}, 2]', { query: { ack: 'queued' } });
      assertProblem(none, 422, 'events_invalid');
      assertProblem(await server.publishBody('{', { query: { ack: 'queued' } }), 400, 'json_invalid');
      await until('the rejected events are counted', async () => {
        return (await server.stats()).rejected - before.rejected === 3;
      });
      await server.settled();
      assert.deepEqual(await server.ids(), ['order-1']);
    },
  },
  {
    name: 'the sums hold at every read, and nothing goes back, while events come both ways',
    async run(server) {
      const before = await server.settled();
      const published = new AbortController();
      const reads = (async () => {
        let last = before;
        while (!published.signal.aborted) {
          const next = await server.stats();
          const { received, unique_processed, duplicate_dropped, queued, dead_lettered } = next;
          assert.equal(received, unique_processed + duplicate_dropped + queued + dead_lettered);
          assert.ok(queued >= 0);
          for (const [i, count] of counted(next).entries()) assert.ok(count >= counted(last)[i]!);
          last = next;
        }
      })();
      const batches = Array.from({ length: 40 }, (_, i) => JSON.stringify(server.events(20 + i)));
      await Promise.all(
        batches.map(async (batch, i) => {
          const query = { ack: i % 2 === 0 ? 'queued' : 'stored' };
          assert.equal((await server.publishBody(batch, { query })).status, 200);
        }),
      );
      const after = await server.settled();
      published.abort();
      await reads;
      assert.deepEqual(
        counted(after).map((count, i) => count - counted(before)[i]!),
        [1580, 59, 1521, 0],
      );
    },
  },
];
