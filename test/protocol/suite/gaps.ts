import assert from 'node:assert/strict';
import type { GapsAnswer, WirePublisherGaps } from '../../../src/protocol/gaps-wire.ts';
import { assertProblem, type ProtocolCase, type Query, type Target } from './case.ts';

/** Publishes events with these sequences, each by a request of its own. @returns their positions */
async function publishSequences(
  server: Target,
  sequences: readonly number[],
  change: { topic?: string; source?: string } = {},
): Promise<number[]> {
  const positions: number[] = [];
  for (const sequence of sequences) {
    const event_id = `${change.source}-${sequence}-${Math.random()}`;
    const { results } = await server.publish(server.event({ event_id, sequence, ...change }));
    assert.equal(results[0]?.verdict, 'stored');
    positions.push(results[0].position!);
  }
  return positions;
}

async function gaps(server: Target, query: Query = {}): Promise<GapsAnswer> {
  const answer = await server.read<GapsAnswer>('/gaps', { topic: server.topic(), ...query });
  assert.equal(answer.complete, true);
  assert.equal(answer.count, answer.publishers.length);
  return answer;
}

async function only(server: Target, query: Query = {}): Promise<WirePublisherGaps> {
  const { publishers } = await gaps(server, query);
  assert.equal(publishers.length, 1);
  return publishers[0]!;
}

export const gapCases: readonly ProtocolCase[] = [
  {
    name: 'a number that is left out is a gap, and what comes late closes it',
    async run(server) {
      const [first, , jump] = await publishSequences(server, [1, 2, 6]);
      const before = await gaps(server);
      const [publisher] = before.publishers;
      const { processed_at } = publisher!.gaps[0]!;
      assert.deepEqual(publisher, {
        topic: server.topic(),
        source: 'shop',
        events: 3,
        first_position: first,
        last_position: jump,
        first_sequence: 1,
        highest_sequence: 6,
        missing: 3,
        gap_count: 1,
        gaps: [{ from: 3, to: 5, position: jump, processed_at }],
        forgotten: 0,
        out_of_order: 0,
        repeated: 0,
        restart_count: 0,
        restarts: [],
      });
      assert.ok(before.through >= jump!);
      await publishSequences(server, [4]);
      const parted = await only(server);
      assert.deepEqual(
        parted.gaps.map(({ from, to }) => [from, to]),
        [
          [3, 3],
          [5, 5],
        ],
      );
      await publishSequences(server, [5, 3]);
      const after = await only(server);
      assert.deepEqual([after.gaps, after.missing, after.out_of_order, after.events], [[], 0, 3, 6]);
    },
  },
  {
    name: 'a publisher that begins to count anew is told, and what it lacked before stays',
    async run(server) {
      const positions = await publishSequences(server, [1, 3, 1, 2]);
      const publisher = await only(server);
      assert.deepEqual(
        publisher.restarts.map(({ sequence, after, position }) => [sequence, after, position]),
        [[1, 3, positions[2]]],
      );
      assert.deepEqual([publisher.restart_count, publisher.missing, publisher.highest_sequence], [1, 1, 2]);
    },
  },
  {
    name: 'a number that comes once more makes nothing missing once the publisher goes on',
    async run(server) {
      await publishSequences(server, [1, 2, 3, 4, 2]);
      const inDoubt = await only(server);
      assert.deepEqual([inDoubt.restart_count, inDoubt.repeated], [1, 0]);
      await publishSequences(server, [5]);
      const { missing, repeated, restart_count, highest_sequence } = await only(server);
      assert.deepEqual([missing, repeated, restart_count, highest_sequence], [0, 1, 0, 5]);
    },
  },
  {
    name: 'publishers are told apart by topic and by source, and those that do not count are left out',
    async run(server) {
      const [a, b] = [server.topic('a'), server.topic('b')];
      await server.publish(server.event({ source: 'silent' }));
      await publishSequences(server, [1, 3], { topic: a, source: server.scope });
      await publishSequences(server, [1, 4], { topic: b, source: server.scope });
      await publishSequences(server, [1, 5], { topic: a, source: 'x' });
      const missing = async (query: Query) =>
        (await server.read<GapsAnswer>('/gaps', query)).publishers.map((one) => [one.topic, one.missing]);
      assert.deepEqual(await missing({ topic: a }), [
        [a, 1],
        [a, 3],
      ]);
      assert.deepEqual(await missing({ source: server.scope }), [
        [a, 1],
        [b, 2],
      ]);
      assert.deepEqual(await missing({ topic: b, source: server.scope }), [[b, 2]]);
      assert.deepEqual(await missing({ topic: b, source: 'x' }), []);
    },
  },
  {
    name: 'publishers come page after page, in the order of their first events',
    async run(server) {
      const sources = ['e', 'd', 'c', 'b', 'a'];
      for (const source of sources) await publishSequences(server, [1], { source });
      const found: string[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const page: GapsAnswer = await gaps(server, { after, limit: 2 });
        found.push(...page.publishers.map(({ source }) => source));
        after = page.next;
      }
      assert.deepEqual(found, sources);
    },
  },
  {
    name: 'a duplicate counts nowhere, and no sequence ever refuses an event',
    async run(server) {
      const event = server.event({ sequence: 5 });
      assert.deepEqual(await server.verdicts(event, { ...event, sequence: 900 }), ['stored', 'duplicate']);
      const again = server.event({ event_id: 'again', sequence: 5 });
      assert.deepEqual(await server.verdicts(again), ['stored']);
      const { events, missing, repeated } = await only(server);
      assert.deepEqual([events, missing, repeated], [2, 0, 1]);
    },
  },
  {
    name: 'a query of gaps that is not valid is refused',
    async run(server) {
      for (const query of ['limit=0', 'limit=1001', 'after=-1', 'topic=', 'event_id=a']) {
        const problem = assertProblem(await server.send(`/gaps?${query}`), 422, 'parameter_invalid');
        assert.equal(problem['parameter'], query.split('=')[0]);
      }
    },
  },
];
