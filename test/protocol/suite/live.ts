import assert from 'node:assert/strict';
import type { EventsAnswer, WireEvent } from '../../../src/protocol/wire.ts';
import { EventStream } from '../../support/event-stream.ts';
import { assertProblem, type ProtocolCase, type Target } from './case.ts';

async function follow(
  server: Target,
  query: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const url = `${server.url}/stream?${new URLSearchParams(query).toString()}`;
  return await EventStream.open(url, { ...server.headers, ...headers });
}

/** Events `e0`, `e1`, … from the first one on. */
function range(server: Target, first: number, count: number): WireEvent[] {
  return Array.from({ length: count }, (_, i) => server.event({ event_id: `e${first + i}` }));
}

const ids = (events: readonly { event_id: string }[]) => events.map(({ event_id }) => event_id);

export const liveCases: readonly ProtocolCase[] = [
  {
    name: 'a stream catches up and goes on live: each event once, in the order of positions, without a seam',
    async run(server) {
      await server.publish(...range(server, 0, 30));
      await using stream = await follow(server, { topic: `${server.scope}.>`, after: '0' });
      const publishing = (async () => {
        for (let i = 30; i < 330; i += 10) await server.publish(...range(server, i, 10));
      })();
      const events = await stream.events(330);
      await publishing;
      const all = Array.from({ length: 330 }, (_, i) => `e${i}`);
      assert.deepEqual(ids(events), all);
      const positions = events.map(({ position }) => position);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(positions).size, 330);
    },
  },
  {
    name: 'a stream is Server-Sent Events that nobody stores and no proxy collects, and HEAD is its head alone',
    async run(server) {
      await using stream = await follow(server, { topic: server.topic() });
      const { headers } = stream.response;
      assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8');
      assert.match(headers.get('cache-control') ?? '', /no-store/);
      assert.ok(headers.get('x-request-id'));
      const head = await server.send('/stream', { method: 'HEAD' });
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-type'], headers.get('content-type'));
    },
  },
  {
    name: 'without a place a stream begins with what comes next, and tells the place first',
    async run(server) {
      await server.publish(server.event({ event_id: 'before' }));
      await using stream = await follow(server, { topic: server.topic() });
      const first = await stream.next();
      assert.deepEqual([first?.data, first?.event], [undefined, undefined]);
      assert.ok(Number(first?.id) > 0);
      await server.publish(server.event({ event_id: 'after' }));
      assert.deepEqual(ids(await stream.events(1)), ['after']);
    },
  },
  {
    name: 'a client that comes back goes on after its Last-Event-ID, whatever the address says',
    async run(server) {
      await server.publish(...range(server, 0, 3));
      const topic = server.topic();
      await using first = await follow(server, { topic, after: '0' });
      const [event] = await first.events(1);
      await using second = await follow(
        server,
        { topic, after: '0' },
        { 'last-event-id': String(event!.position) },
      );
      assert.deepEqual(ids(await second.events(2)), ['e1', 'e2']);
      for (const id of ['x', '-1', '1.5']) {
        const headers = { 'last-event-id': id };
        assertProblem(await server.send('/stream', { headers }), 422, 'parameter_invalid');
      }
    },
  },
  {
    name: 'a stream is of the topics that match a pattern, and of one source if that is wanted',
    async run(server) {
      const topics = ['eu', 'eu.paid', 'us', 'eu.paid.late'];
      const events = topics.map((name, i) =>
        server.event({ topic: server.topic(name), event_id: name, source: i % 2 === 0 ? 'even' : 'odd' }),
      );
      const wanted: [pattern: string, source: string | undefined, expected: string[]][] = [
        ['*', undefined, ['eu', 'us']],
        ['eu.>', undefined, ['eu.paid', 'eu.paid.late']],
        ['*.paid', undefined, ['eu.paid']],
        ['>', 'odd', ['eu.paid', 'eu.paid.late']],
        ['eu', 'even', ['eu']],
      ];
      // Both ways: from the store, and live.
      const follows = async () =>
        await Promise.all(
          wanted.map(async ([pattern, source, expected]) => {
            const query = {
              topic: server.topic(pattern),
              after: '0',
              ...(source === undefined ? {} : { source }),
            };
            return { stream: await follow(server, query), expected };
          }),
        );
      const live = await follows();
      await Promise.all(live.map(({ stream }) => stream.next()));
      await server.publish(...events);
      for (const { stream, expected } of [...live, ...(await follows())]) {
        assert.deepEqual(ids(await stream.events(expected.length)), expected);
        await stream[Symbol.asyncDispose]();
      }
    },
  },
  {
    name: 'a pattern that is none is refused with the rule',
    async run(server) {
      for (const topic of ['a*', 'a.>.b', '%20', '']) {
        const answer = await server.send(`/stream?topic=${topic}`);
        assert.equal(assertProblem(answer, 422, 'parameter_invalid').parameter, 'topic');
      }
      assertProblem(await server.send('/stream?topics=a'), 422, 'parameter_invalid');
    },
  },
  {
    name: 'a page that would be empty waits for an event, if it is asked to',
    async run(server) {
      const query = { topic: server.topic() };
      const waiting = server.send(`/events?topic=${query.topic}&wait=30`);
      await server.publish(server.event({ topic: server.topic('other') }));
      await server.publish(server.event({ event_id: 'awaited' }));
      assert.deepEqual(ids((await waiting).json<EventsAnswer>().events), ['awaited']);
      // What is there is not waited for.
      assert.equal((await server.send(`/events?topic=${query.topic}&wait=30`)).json<EventsAnswer>().count, 1);
      const last = (await waiting).json<EventsAnswer>().events[0]!.position;
      const none = await server.send(`/events?topic=${query.topic}&after=${last}&wait=1`);
      assert.deepEqual(none.json<EventsAnswer>(), { count: 0, events: [], next: null });
    },
  },
  {
    name: 'only a page in rising order can be waited for',
    async run(server) {
      for (const query of ['wait=61', 'wait=-1', 'wait=1&order=desc'])
        assertProblem(await server.send(`/events?${query}`), 422, 'parameter_invalid');
      const headers = { accept: 'application/x-ndjson' };
      assertProblem(await server.send('/events?wait=1', { headers }), 422, 'parameter_invalid');
    },
  },
];
