import assert from 'node:assert/strict';
import type { WireTopic } from '../../../src/protocol/wire.ts';
import type { ProtocolCase, Target } from './case.ts';

/** The verdict on a second event whose payload is spelled otherwise. */
async function verdictOn(server: Target, first: string, second: string): Promise<string | undefined> {
  const answer = await server.publishBody(`[${server.eventText(first)},${server.eventText(second)}]`, {
    query: { results: 'all' },
  });
  return answer.json<{ results: { verdict: string }[] }>().results[1]?.verdict;
}

const SAME: readonly [string, string, string][] = [
  ['members in another order', '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
  ['other white space', '{"a":[1,2]}', '{ "a" :\t[1,\r\n2] }'],
  ['a character escaped', '{"a":"é/"}', '{"\\u0061":"\\u00e9\\/"}'],
  ['a pair of surrogates escaped', '{"a":"😀"}', '{"a":"\\ud83d\\ude00"}'],
];

const OTHER: readonly [string, string, string][] = [
  ['another number', '{"a":1}', '{"a":2}'],
  ['numbers that a double cannot tell apart', '{"a":12345678901234567890}', '{"a":12345678901234567891}'],
  ['1 and 1.0', '{"a":1}', '{"a":1.0}'],
  ['a number and its digits as a string', '{"a":1}', '{"a":"1"}'],
  ['elements in another order', '{"a":[1,2]}', '{"a":[2,1]}'],
  ['a member more', '{"a":1}', '{"a":1,"b":null}'],
  ['values that changed places', '{"a":1,"b":2}', '{"a":2,"b":1}'],
  ['an empty object and an empty array', '{"a":{}}', '{"a":[]}'],
  ['another level', '{"a":[[1],2]}', '{"a":[1,[2]]}'],
  ['null and false', '{"a":null}', '{"a":false}'],
  ['another Unicode form', '{"a":"\u00e9"}', '{"a":"e\u0301"}'],
];

export const verdictCases: readonly ProtocolCase[] = [
  {
    name: 'stored, then duplicate, then conflict for other content, and the first one stays',
    async run(server) {
      assert.deepEqual(await server.verdicts(server.event()), ['stored']);
      assert.deepEqual(await server.verdicts(server.event()), ['duplicate']);
      assert.deepEqual(await server.verdicts(server.event({ payload: { total: 1 } })), ['conflict']);
      const { events } = await server.page();
      assert.deepEqual(
        events.map((event) => event.payload),
        [{ total: 129.95 }],
      );
    },
  },
  {
    name: 'a retry may carry another timestamp, source and sequence',
    async run(server) {
      await server.publish(server.event());
      const retry = { timestamp: '2027-01-01T00:00:00Z', source: 'other', sequence: 1 };
      assert.deepEqual(await server.verdicts(server.event(retry)), ['duplicate']);
    },
  },
  ...SAME.map(
    ([what, first, second]): ProtocolCase => ({
      name: `the same content is a duplicate: ${what}`,
      async run(server) {
        assert.equal(await verdictOn(server, first, second), 'duplicate');
      },
    }),
  ),
  ...OTHER.map(
    ([what, first, second]): ProtocolCase => ({
      name: `other content is a conflict: ${what}`,
      async run(server) {
        assert.equal(await verdictOn(server, first, second), 'conflict');
      },
    }),
  ),
  {
    name: 'topic and event_id are two values: what moves from one to the other is another key',
    async run(server) {
      const keys = [
        ['x', 'y'],
        ['x:y', 'z'],
        ['x', 'y:z'],
        ['x:', 'y'],
        ['x', ':y'],
        ['X', 'y'],
        ['x', 'Y'],
        ['x', 'y '],
      ] as const;
      const events = keys.map(([topic, event_id]) => server.event({ topic: server.topic(topic), event_id }));
      assert.deepEqual(
        await server.verdicts(...events),
        keys.map(() => 'stored'),
      );
      const { topics } = await server.read<{ topics: WireTopic[] }>('/topics', {
        after: server.scope,
        limit: 4,
      });
      assert.deepEqual(
        topics.map(({ topic, events }) => [topic.slice(server.scope.length + 1), events]),
        [
          ['X', 1],
          ['x', 5],
          ['x:', 1],
          ['x:y', 1],
        ],
      );
    },
  },
];
