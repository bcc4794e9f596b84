import assert from 'node:assert/strict';
import { requestText } from '../../support/http.ts';
import { until } from '../../support/until.ts';
import { assertProblem, type ProtocolCase, payloadText } from './case.ts';
import { idsOf, leasesOf, Subscriber } from './subscriber.ts';

export const deliveryCases: readonly ProtocolCase[] = [
  {
    name: 'events are handed out once, oldest first, and those that are acknowledged never again',
    async run(server) {
      const { results } = await server.publish(...server.events(5));
      await server.publish(server.event({ topic: `${server.scope}-other` }));
      const one = await Subscriber.make(server);
      const first = await one.fetch({ max: 3 });
      assert.deepEqual(idsOf(first), ['e0', 'e1', 'e2']);
      assert.deepEqual([first.count, first.lease_ms], [3, 30_000]);
      assert.match(first.lease ?? '', /^[0-9a-f]{32}$/);
      const [page] = (await server.page({ limit: 1 })).events;
      assert.deepEqual(first.events[0], { ...page, attempt: 1 });
      const second = await one.fetch();
      assert.deepEqual(idsOf(second), ['e3', 'e4']);
      assert.notEqual(first.lease, second.lease);
      assert.deepEqual(await one.fetch(), { count: 0, lease: null, lease_ms: 30_000, events: [] });
      assert.deepEqual(await one.ack(leasesOf(first)), { counted: 3, refused: [] });
      const leases = second.events.map(({ position }) => ({ position, lease: second.lease! }));
      assert.deepEqual(await one.ack({ leases }), { counted: 2, refused: [] });
      const { leased, waiting, dead, cursor } = await one.look();
      assert.deepEqual([leased, waiting, dead], [0, 0, 0]);
      assert.ok(cursor >= results[4]!.position!);
    },
  },
  {
    name: 'a payload is handed out as it was sent, byte for byte',
    async run(server) {
      const payload = '{ "n": 12345678901234567890, "x": 1.0,\n"__proto__": "\\u00e9" }';
      await server.publishBody(server.eventText(payload));
      const one = await Subscriber.make(server);
      assert.equal(payloadText(await one.send('POST', '/fetch', {})), payload);
    },
  },
  {
    name: 'consumers of one subscription share its events, and each subscription has all of them',
    async run(server) {
      await server.publish(...server.events(200));
      const one = await Subscriber.make(server);
      const other = new Subscriber(server, `${server.scope}.other`);
      await other.put();
      const shared = await Promise.all(Array.from({ length: 10 }, async () => await one.take(20)));
      const all = Array.from({ length: 200 }, (_, i) => `e${i}`).sort();
      assert.deepEqual(idsOf({ events: shared.flat() }).sort(), all);
      assert.deepEqual(idsOf({ events: await other.take(200) }).sort(), all);
    },
  },
  {
    name: 'a fetch waits for an event, and for no longer than it is asked to',
    async run(server) {
      const one = await Subscriber.make(server);
      const waiting = one.fetch({ wait_ms: 60_000 });
      const startedMs = performance.now();
      assert.deepEqual((await one.fetch({ wait_ms: 300 })).events, []);
      assert.ok(performance.now() - startedMs >= 299);
      await server.publish(server.event({ topic: `${server.scope}-other` }));
      await server.publish(server.event({ event_id: 'awaited' }));
      assert.deepEqual(idsOf(await waiting), ['awaited']);
    },
  },
  {
    name: 'those who wait are served one after the other, each with an event of its own',
    async run(server) {
      const one = await Subscriber.make(server);
      const waiting = Array.from({ length: 20 }, async () => await one.fetch({ max: 1, wait_ms: 60_000 }));
      await one.fetch(); // who came before it waits by now
      await server.publish(...server.events(20));
      const fetched = await Promise.all(waiting);
      const all = Array.from({ length: 20 }, (_, i) => `e${i}`);
      assert.deepEqual(fetched.flatMap(idsOf).sort(), all.sort());
    },
  },
  {
    name: 'a client that goes away while it waits takes nothing with it',
    async run(server) {
      const one = await Subscriber.make(server, { ack_wait_ms: 43_200_000 });
      const connection = await server.connect();
      const headers = { ...server.headers, 'content-length': '17' };
      connection.write(requestText(`POST ${one.path}/fetch`, headers, '{"wait_ms":60000}'));
      await one.fetch();
      connection.cut();
      await server.publish(server.event({ event_id: 'left' }));
      assert.deepEqual(idsOf(await one.fetch({ wait_ms: 30_000 })), ['left']);
    },
  },
  {
    name: 'what is given back is handed out again, at once if so wanted, and counts its attempts',
    async run(server) {
      await server.publish(server.event());
      const one = await Subscriber.make(server, { backoff: { first_ms: 60_000 } });
      const first = await one.fetch();
      assert.deepEqual(await one.nack({ ...leasesOf(first), delay_ms: 0 }), { counted: 1, refused: [] });
      const second = await one.fetch({ wait_ms: 30_000 });
      assert.deepEqual(
        second.events.map(({ attempt }) => attempt),
        [2],
      );
      const { refused } = await one.ack(leasesOf(first));
      assert.deepEqual(
        refused.map(({ code }) => code),
        ['lease_stale'],
      );
      await one.nack({ ...leasesOf(second), reason: 'busy' });
      const { leased, waiting } = await one.look();
      assert.deepEqual([leased, waiting], [0, 1]);
      assert.deepEqual((await one.fetch()).events, []);
    },
  },
  {
    name: 'what is given back untried comes again at once, and counts no attempt, not even the last',
    async run(server) {
      await server.publish(...server.events(2));
      const one = await Subscriber.make(server, { max_attempts: 1, backoff: { first_ms: 60_000 } });
      for (let n = 0; n < 3; n++) {
        const fetched = await one.fetch({ wait_ms: 30_000 });
        assert.deepEqual(
          fetched.events.map(({ attempt }) => attempt),
          [1, 1],
        );
        assert.deepEqual(await one.nack({ ...leasesOf(fetched), untried: true }), {
          counted: 2,
          refused: [],
        });
      }
      const fetched = leasesOf(await one.fetch({ wait_ms: 30_000 }));
      await one.nack({ ...fetched, untried: true, delay_ms: 60_000, reason: 'closing' });
      assert.deepEqual((await one.fetch()).events, []);
      const { waiting, dead } = await one.look();
      assert.deepEqual([waiting, dead], [2, 0]);
    },
  },
  {
    name: 'what no attempt can help is a dead letter at once',
    async run(server) {
      await server.publish(...server.events(2));
      const one = await Subscriber.make(server, { max_attempts: 0 });
      const { lease, positions } = leasesOf(await one.fetch());
      const reason = 'no such customer';
      await one.nack({ lease, positions: [positions[0]!], dead: true, reason });
      await one.nack({ lease, positions: [positions[1]!], dead: false, delay_ms: 0 });
      const { dead_letters } = await one.deadLetters();
      assert.deepEqual(
        dead_letters.map((letter) => [letter.position, letter.attempts, letter.reason]),
        [[positions[0], 1, reason]],
      );
      assert.deepEqual(idsOf(await one.fetch({ wait_ms: 30_000 })), ['e1']);
    },
  },
  {
    name: 'what is not acknowledged in its time is handed out again; a lease that was extended holds',
    async run(server) {
      await server.publish(...server.events(2));
      const one = await Subscriber.make(server, { ack_wait_ms: 3000, backoff: { first_ms: 0 } });
      const first = await one.fetch();
      const [kept, left] = first.events;
      const keep = { lease: first.lease!, positions: [kept!.position] };
      const extending = until('the other one is handed out again', async () => {
        assert.deepEqual(await one.extend(keep), { counted: 1, refused: [] });
        const again = await one.fetch();
        return again.events.length > 0 && again;
      });
      const again = await extending;
      assert.deepEqual(
        again.events.map(({ event_id, attempt }) => [event_id, attempt]),
        [[left!.event_id, 2]],
      );
      const { counted, refused } = await one.ack(leasesOf(first));
      assert.deepEqual([counted, refused.map(({ position }) => position)], [1, [left!.position]]);
    },
  },
  {
    name: 'of many leases each is answered for itself; one that is named twice counts once',
    async run(server) {
      await server.publish(...server.events(3));
      const one = await Subscriber.make(server);
      const { lease, positions } = leasesOf(await one.fetch());
      const [a, b, c] = positions as [number, number, number];
      const mixed = await one.ack({
        leases: [
          { position: a, lease },
          { position: b, lease: 'f'.repeat(32) },
          { position: a, lease },
          { position: Number.MAX_SAFE_INTEGER, lease },
        ],
      });
      assert.equal(mixed.counted, 1);
      assert.deepEqual(
        mixed.refused.map(({ position, code }) => [position, code]),
        [
          [b, 'lease_stale'],
          [Number.MAX_SAFE_INTEGER, 'lease_stale'],
        ],
      );
      assert.ok(mixed.refused.every(({ detail }) => detail.length > 0));
      assert.equal((await one.ack({ lease, positions: [a, b, b, c] })).counted, 2);
      assert.equal((await one.look()).leased, 0);
    },
  },
  {
    name: 'an event that is given back at its last attempt is a dead letter, until it is driven again or discarded',
    async run(server) {
      const payload = '{ "n": 1.0 }';
      await server.publishBody(`[${server.eventText(payload, { event_id: 'e0' })}]`);
      await server.publish(...server.events(3).slice(1));
      await server.publish(server.event({ topic: server.topic('b'), event_id: 'e3' }));
      const one = await Subscriber.make(server, { max_attempts: 1 });
      const fetched = leasesOf(await one.fetch());
      assert.equal((await one.nack({ ...fetched, reason: 'no such customer' })).counted, 4);
      assert.deepEqual((await one.fetch()).events, []);
      assert.equal((await one.look()).dead, 4);

      const page = await one.deadLetters({ limit: 3 });
      assert.deepEqual([page.count, page.next], [3, fetched.positions[2]]);
      const [first] = page.dead_letters;
      assert.deepEqual(
        [first?.position, first?.topic, first?.attempts, first?.reason, first?.event?.event_id],
        [fetched.positions[0], server.topic(), 1, 'no such customer', 'e0'],
      );
      assert.match(first!.died_at, /Z$/);
      const rest = await one.deadLetters({ limit: 3, after: page.next! });
      assert.deepEqual([rest.dead_letters.map(({ topic }) => topic), rest.next], [[server.topic('b')], null]);
      assert.equal(payloadText(await one.send('GET', '/dead-letters?limit=1')), payload);

      assert.equal(await one.discard({ topic: server.topic('b') }), 1);
      assert.equal(await one.redrive({ positions: [fetched.positions[0]!, Number.MAX_SAFE_INTEGER] }), 1);
      const again = await one.fetch({ wait_ms: 30_000 });
      assert.deepEqual(
        again.events.map(({ event_id, attempt }) => [event_id, attempt]),
        [['e0', 1]],
      );
      await one.ack(leasesOf(again));
      assert.equal(await one.redrive({ all: true }), 2);
      assert.deepEqual(idsOf({ events: await one.take(2) }).sort(), ['e1', 'e2']);
      const { leased, waiting, dead } = await one.look();
      assert.deepEqual([leased, waiting, dead], [0, 0, 0]);
    },
  },
  {
    name: 'with an order, no event of a topic is handed out while an earlier one is not acknowledged',
    async run(server) {
      for (const name of ['a', 'b'])
        await server.publish(...server.events(3, { topic: server.topic(name), source: name }));
      const one = await Subscriber.make(server, { ordered: true });
      const first = await one.fetch();
      assert.deepEqual(
        first.events.map(({ topic, event_id }) => [topic, event_id]),
        [
          [server.topic('a'), 'e0'],
          [server.topic('b'), 'e0'],
        ],
      );
      assert.deepEqual((await one.fetch()).events, []);
      const waiting = one.fetch({ wait_ms: 60_000 });
      await one.ack({ lease: first.lease!, positions: [first.events[1]!.position] });
      assert.deepEqual(
        (await waiting).events.map(({ topic, event_id }) => [topic, event_id]),
        [[server.topic('b'), 'e1']],
      );
    },
  },
  {
    name: 'no more than max_in_flight is handed out; acknowledging makes room, also for those who wait',
    async run(server) {
      await server.publish(...server.events(5));
      const one = await Subscriber.make(server, { max_in_flight: 2 });
      const first = await one.fetch();
      assert.deepEqual(idsOf(first), ['e0', 'e1']);
      assert.deepEqual((await one.fetch()).events, []);
      const waiting = one.fetch({ wait_ms: 60_000 });
      await one.ack(leasesOf(first));
      assert.deepEqual(idsOf(await waiting), ['e2', 'e3']);
    },
  },
  {
    name: '422: what is asked of leases and dead letters is held to its rules',
    async run(server) {
      const one = await Subscriber.make(server);
      const lease = 'a'.repeat(32);
      const many = Array.from({ length: 10_001 }, (_, i) => i + 1);
      const bad: [below: string, body: unknown, member: string][] = [
        ['/ack', {}, 'lease'],
        ['/ack', { lease }, 'positions'],
        ['/ack', { lease, positions: [] }, 'positions'],
        ['/ack', { lease, positions: many }, 'positions'],
        ['/ack', { lease, positions: [0] }, 'positions[0]'],
        ['/ack', { lease: 'x', positions: [1] }, 'lease'],
        ['/ack', { leases: [{ position: 1, lease: null }] }, 'leases[0].lease'],
        ['/ack', { leases: [{ position: 1 }] }, 'leases[0].lease'],
        ['/ack', { leases: [1] }, 'leases[0]'],
        ['/ack', { leases: [{ position: 1, lease }], lease, positions: [1] }, 'leases'],
        ['/ack', { lease, position: [1] }, 'position'],
        ['/extend', { lease, positions: [1.5] }, 'positions[0]'],
        ['/nack', { lease, positions: [1], delay_ms: -1 }, 'delay_ms'],
        ['/nack', { lease, positions: [1], reason: '' }, 'reason'],
        ['/nack', { lease, positions: [1], reason: 'x'.repeat(1001) }, 'reason'],
        ['/nack', { lease, positions: [1], reason: 'a\0' }, 'reason'],
        ['/nack', { lease, positions: [1], untried: 1 }, 'untried'],
        ['/nack', { lease, positions: [1], dead: 'yes', reason: 'a' }, 'dead'],
        ['/nack', { lease, positions: [1], dead: true }, 'reason'],
        ['/nack', { lease, positions: [1], dead: true, reason: 'a', untried: true }, 'dead'],
        ['/nack', { lease, positions: [1], dead: true, reason: 'a', delay_ms: 0 }, 'dead'],
        ['/fetch', { max: 0 }, 'max'],
        ['/fetch', { max: 1001 }, 'max'],
        ['/fetch', { wait_ms: 60_001 }, 'wait_ms'],
        ['/dead-letters/redrive', {}, 'all'],
        ['/dead-letters/redrive', { all: false }, 'all'],
        ['/dead-letters/redrive', { all: true, topic: 'a' }, 'all'],
        ['/dead-letters/discard', { topic: '' }, 'topic'],
        ['/dead-letters/discard', { positions: 'all' }, 'positions'],
      ];
      for (const [below, body, member] of bad) {
        const answer = await one.send('POST', below, body);
        assert.equal(assertProblem(answer, 422, 'subscription_invalid')['member'], member, answer.text);
      }
      const most = await one.ack({ lease, positions: many.slice(1) });
      assert.deepEqual([most.counted, most.refused.length], [0, 10_000]);
      for (const query of ['limit=0', 'limit=1001', 'after=-1', 'all=true'])
        assertProblem(await one.send('GET', `/dead-letters?${query}`), 422, 'parameter_invalid');
    },
  },
];
