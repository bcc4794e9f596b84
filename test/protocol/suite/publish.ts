import assert from 'node:assert/strict';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase } from './case.ts';

export const publishCases: readonly ProtocolCase[] = [
  {
    name: 'an answer counts what was accepted, and only events that were rejected make it partial',
    async run(server) {
      const [a, b] = server.events(2);
      const good = await server.publishBody(JSON.stringify([a, b, a]));
      assert.deepEqual(good.json(), {
        status: 'accepted',
        count: 3,
        accepted: 3,
        queued: 0,
        processed: 2,
        duplicates: 1,
        conflicts: 0,
        rejected: 0,
        errors: [],
      });
      const mixed = await server.publishBody(
        JSON.stringify([server.event({ event_id: 'c' }), {}, { ...a, payload: {} }]),
      );
      const { errors, ...counts } = mixed.json<PublishAnswer>();
      assert.deepEqual(counts, {
        status: 'partial',
        count: 3,
        accepted: 2,
        queued: 0,
        processed: 1,
        duplicates: 0,
        conflicts: 1,
        rejected: 1,
      });
      assert.deepEqual(
        errors.map(({ index, code }) => [index, code]),
        [[1, 'member_missing']],
      );
    },
  },
  {
    name: 'an atomic batch is answered after its commit, with its duplicates',
    async run(server) {
      const events = server.events(5);
      const answer = await server.publishBody(JSON.stringify([...events, events[0]]), {
        query: { atomic: true },
      });
      const { accepted, queued, processed, duplicates } = answer.json<PublishAnswer>();
      assert.deepEqual(
        { accepted, queued, processed, duplicates },
        { accepted: 6, queued: 0, processed: 5, duplicates: 1 },
      );
      assert.equal((await server.ids()).length, 5);
    },
  },
  {
    name: 'an atomic batch with one event that is not valid stores nothing, and counts all of it as rejected',
    async run(server) {
      const batch = JSON.stringify([...server.events(2), { ...server.event(), topic: '' }]);
      const before = await server.stats();
      const answer = await server.storesNothing(
        async () => await server.publishBody(batch, { query: { atomic: true } }),
      );
      const problem = assertProblem(answer, 422, 'batch_refused');
      assert.deepEqual([problem['count'], problem['rejected']], [3, 1]);
      assert.match(answer.text, /event 2: topic must not be empty/);
      assert.equal((await server.stats()).rejected - before.rejected, 3);
      assert.deepEqual(await server.ids(), []);
    },
  },
  {
    name: 'a batch without a valid event is 422 and lists why, event by event',
    async run(server) {
      const before = await server.stats();
      const answer = await server.storesNothing(
        async () => await server.publishBody(JSON.stringify([1, { ...server.event(), source: '' }])),
      );
      const problem = assertProblem(answer, 422, 'events_invalid');
      assert.deepEqual(problem['errors'], [
        { index: 0, event_id: null, code: 'not_an_object', detail: 'an event must be a JSON object' },
        { index: 1, event_id: 'order-1', code: 'text_empty', detail: 'source must not be empty' },
      ]);
      assert.equal((await server.stats()).rejected - before.rejected, 2);
    },
  },
  {
    name: 'the switches of a request are told by 1, true, yes and on',
    async run(server) {
      const batch = JSON.stringify([server.event(), {}]);
      for (const atomic of ['1', 'true', 'yes', 'on', 'TRUE']) {
        assertProblem(await server.publishBody(batch, { query: { atomic } }), 422, 'batch_refused');
      }
      for (const atomic of ['0', 'false', 'no', 'off']) {
        assert.equal((await server.publishBody(batch, { query: { atomic } })).status, 200);
      }
    },
  },
];
