import assert from 'node:assert/strict';
import type { WireStoredEvent } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase, type Query, queryText } from './case.ts';

const HOUR_MS = 3_600_000;
const MIDNIGHT = Date.parse('2026-01-31T00:00:00Z');
const hour = (n: number) => new Date(MIDNIGHT + n * HOUR_MS).toISOString();

/** Timestamps as they are sent, and as they come back. */
const STAMPS: readonly [string, string][] = [
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000000Z'],
  ['2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00.123456Z'],
  ['2026-01-31T12:00:00.1234567899Z', '2026-01-31T12:00:00.123456Z'],
  ['2026-01-31T12:00:00.5+01:30', '2026-01-31T10:30:00.500000Z'],
  ['2026-01-31T12:00:00-0800', '2026-01-31T20:00:00.000000Z'],
  ['2026-01-31T12:00:00+05', '2026-01-31T07:00:00.000000Z'],
  ['2026-01-31T12:00:00', '2026-01-31T12:00:00.000000Z'],
  ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000000Z'],
  ['2026-01-31 12:00:00,25', '2026-01-31T12:00:00.250000Z'],
  ['20260131T120000Z', '2026-01-31T12:00:00.000000Z'],
  ['2024-02-29T23:59:59.999999Z', '2024-02-29T23:59:59.999999Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000Z'],
  ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
];

/** Parameters that are refused, and the one that the answer names. */
const BAD_QUERIES: readonly [Query, string][] = [
  ...['0', '1001', '-1', '1.5', '1e2', 'ten', '', ' 5', '99999999999999999999'].map(
    (limit): [Query, string] => [{ limit }, 'limit'],
  ),
  ...['-1', '1.0', '9007199254740992', 'x', ''].flatMap((at): [Query, string][] => [
    [{ after: at }, 'after'],
    [{ before: at }, 'before'],
  ]),
  ...['-1', '1000001', 'x'].map((offset): [Query, string] => [{ offset }, 'offset']),
  ...['ASC', 'up', ''].map((order): [Query, string] => [{ order }, 'order']),
  ...['', ' ', 'x'.repeat(256), 'a\u0000'].flatMap((name): [Query, string][] => [
    [{ topic: name }, 'topic'],
    [{ source: name }, 'source'],
  ]),
  ...['now', '2026-01-31', '1769860800', ''].flatMap((at): [Query, string][] => [
    [{ from: at }, 'from'],
    [{ to: at }, 'to'],
  ]),
  [{ event_id: 'a' }, 'event_id'],
  [{ Topic: 'a' }, 'Topic'],
  [{ ['__proto__']: 'a' }, '__proto__'],
];

export const readingCases: readonly ProtocolCase[] = [
  {
    name: 'an event is read with all that was sent, its position and when it was stored',
    async run(server) {
      const sent = server.event({ sequence: 9_007_199_254_740_991 });
      const [receipt] = (await server.publish(sent)).results;
      const page = await server.page();
      assert.deepEqual(page, {
        count: 1,
        events: [{ position: receipt?.position, ...sent, processed_at: receipt?.first_seen_at }],
        next: null,
      });
      assert.match(receipt?.first_seen_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    },
  },
  {
    name: 'a timestamp comes back as the same instant in UTC, to the microsecond',
    async run(server) {
      await server.publish(...STAMPS.map(([timestamp], i) => server.event({ event_id: `t${i}`, timestamp })));
      const { events } = await server.page();
      assert.deepEqual(
        events.map(({ timestamp }, i) => [STAMPS[i]?.[0], timestamp]),
        STAMPS,
      );
    },
  },
  {
    name: 'filters hold together: topic, source, from (inclusive) and to (exclusive)',
    async run(server) {
      const events = Array.from({ length: 6 }, (_, n) =>
        server.event({ event_id: `h${n}`, timestamp: hour(n), source: n % 2 === 0 ? 'even' : 'odd' }),
      );
      await server.publish(...events, server.event({ topic: server.topic('b'), timestamp: hour(2) }));
      const cases: [Query, string[]][] = [
        [{}, ['h0', 'h1', 'h2', 'h3', 'h4', 'h5']],
        [{ source: 'odd' }, ['h1', 'h3', 'h5']],
        [{ from: hour(4) }, ['h4', 'h5']],
        [{ to: hour(2) }, ['h0', 'h1']],
        [{ from: hour(1), to: hour(5), source: 'even' }, ['h2', 'h4']],
        [{ from: hour(3), to: hour(3) }, []],
        [{ from: hour(5), to: hour(1) }, []],
        [{ from: '2026-01-31T06:00:00+03:00', to: '2026-01-31T03:00:00.000001' }, ['h3']],
        [{ source: 'ODD' }, []],
        [{ topic: server.topic('b') }, ['order-1']],
        [{ topic: server.topic('none') }, []],
      ];
      for (const [query, ids] of cases) assert.deepEqual(await server.ids(query), ids, JSON.stringify(query));
    },
  },
  {
    name: 'an offset from UTC may come with its plus not escaped',
    async run(server) {
      await server.publish(server.event({ timestamp: hour(3) }));
      const topic = encodeURIComponent(server.topic());
      const answer = await server.send(`/events?topic=${topic}&from=2026-01-31T04:00:00+01:00`);
      assert.equal(answer.json()['count'], 1, answer.text);
    },
  },
  {
    name: 'without a topic the events of all topics come, by position',
    async run(server) {
      const events = ['a', 'b', 'c', 'a'].map((name, i) =>
        server.event({ topic: server.topic(name), event_id: `e${i}` }),
      );
      const [first] = (await server.publish(...events)).results;
      const page = await server.read<{ events: WireStoredEvent[] }>('/events', {
        after: first!.position! - 1,
      });
      assert.deepEqual(
        page.events.map(({ topic, event_id }) => [topic, event_id]),
        events.map(({ topic, event_id }) => [topic, event_id]),
      );
    },
  },
  ...BAD_QUERIES.map(
    ([query, named]): ProtocolCase => ({
      name: `422: GET /events with ${JSON.stringify(query).slice(0, 60)}`,
      async run(server) {
        for (const accept of ['application/json', 'application/x-ndjson']) {
          if (accept !== 'application/json' && query['limit'] === '1001') continue; // lines have no such bound
          const answer = await server.send(`/events${queryText(query)}`, { headers: { accept } });
          const problem = assertProblem(answer, 422, 'parameter_invalid');
          assert.equal(problem['parameter'], named);
          assert.ok(problem.detail.startsWith(named), problem.detail);
        }
      },
    }),
  ),
  {
    name: '422: a query that is not percent-encoded UTF-8, or gives a parameter twice',
    async run(server) {
      for (const query of ['topic=%zz', 'topic=%ff', 'topic=a&topic=a', 'limit=1&topic=a&limit=1', '%ff=1']) {
        assertProblem(await server.send(`/events?${query}`), 422, 'parameter_invalid');
      }
    },
  },
  {
    name: '422: a parameter where there is none to give',
    async run(server) {
      await server.publish(server.event());
      const paths = ['/stats', '/metrics', '/health', '/livez', '/queue/stats', '/docs', '/openapi.json'];
      for (const path of [...paths, `/events/${server.topic()}/order-1`]) {
        assertProblem(await server.send(`${path}?verbos=1`), 422, 'parameter_invalid');
        assert.equal((await server.send(`${path}?`)).status, 200);
      }
    },
  },
];
