import assert from 'node:assert/strict';
import type { TopicsAnswer } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase } from './case.ts';

export const topicCases: readonly ProtocolCase[] = [
  {
    name: 'a topic is summed up: its events, duplicates and conflicts, its first and last',
    async run(server) {
      const [a, b] = server.events(2);
      const first = (await server.publish(a!)).results[0];
      await server.publish(a!, { ...a!, payload: { other: true } }, a!);
      const last = (await server.publish(b!)).results[0];
      const { topics } = await server.read<TopicsAnswer>('/topics', { after: server.scope, limit: 1 });
      assert.deepEqual(topics, [
        {
          topic: server.topic(),
          events: 2,
          retired: 0,
          duplicates: 2,
          conflicts: 1,
          first_position: first?.position,
          last_position: last?.position,
          first_at: first?.first_seen_at,
          last_at: last?.first_seen_at,
        },
      ]);
    },
  },
  {
    name: 'topics come by name, page after page',
    async run(server) {
      const names = ['a', 'b', 'c', 'd', 'e'].map((name) => server.topic(name));
      await server.publish(...names.toReversed().map((topic) => server.event({ topic })));
      const found: string[] = [];
      for (let after: string | null = server.scope; after !== null && after <= names[4]!; ) {
        const page: TopicsAnswer = await server.read('/topics', { after, limit: 2 });
        assert.equal(page.count, page.topics.length);
        found.push(...page.topics.map(({ topic }) => topic));
        after = page.next;
      }
      assert.deepEqual(
        found.filter((topic) => topic.startsWith(server.scope)),
        names,
      );
    },
  },
  {
    name: 'a topic of which nothing was valid is none',
    async run(server) {
      await server.publishBody(JSON.stringify({ ...server.event(), source: '' }));
      const { topics } = await server.read<TopicsAnswer>('/topics', { after: server.scope, limit: 1 });
      assert.ok(topics.every(({ topic }) => !topic.startsWith(server.scope)));
    },
  },
  {
    name: '422: GET /topics with a parameter that is not valid',
    async run(server) {
      for (const query of ['limit=0', 'limit=1001', 'after=', 'topic=a']) {
        const problem = assertProblem(await server.send(`/topics?${query}`), 422, 'parameter_invalid');
        assert.equal(problem['parameter'], query.split('=')[0]);
      }
    },
  },
];
