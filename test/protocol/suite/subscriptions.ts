import assert from 'node:assert/strict';
import type { SubscriptionsAnswer } from '../../../src/protocol/subscriptions-wire.ts';
import { assertProblem, type ProtocolCase } from './case.ts';
import { idsOf, leasesOf, Subscriber } from './subscriber.ts';

/** Of a definition, with the member that is at fault. */
const BAD_DEFINITIONS: [change: Record<string, unknown>, member: string][] = [
  [{ topics: undefined }, 'topics'],
  [{ topics: [] }, 'topics'],
  [{ topics: 'a' }, 'topics'],
  [{ topics: Array(101).fill('a') }, 'topics'],
  [{ topics: ['a', 'a*'] }, 'topics[1]'],
  [{ topics: ['a.>.b'] }, 'topics[0]'],
  [{ topics: [1] }, 'topics[0]'],
  [{ start: 'newest' }, 'start'],
  [{ start: {} }, 'start'],
  [{ start: { after: 1, since: '2026-01-31T12:00:00Z' } }, 'start'],
  [{ start: { after: -1 } }, 'start.after'],
  [{ start: { since: 'yesterday' } }, 'start.since'],
  [{ ack_wait_ms: 999 }, 'ack_wait_ms'],
  [{ ack_wait_ms: 43_200_001 }, 'ack_wait_ms'],
  [{ ack_wait_ms: '30000' }, 'ack_wait_ms'],
  [{ max_attempts: 1001 }, 'max_attempts'],
  [{ max_attempts: 1.5 }, 'max_attempts'],
  [{ max_in_flight: 0 }, 'max_in_flight'],
  [{ max_in_flight: 100_001 }, 'max_in_flight'],
  [{ backoff: 1000 }, 'backoff'],
  [{ backoff: { first_ms: -1 } }, 'backoff.first_ms'],
  [{ backoff: { max_ms: 86_400_001 } }, 'backoff.max_ms'],
  [{ backoff: { first_ms: 5000, max_ms: 4000 } }, 'backoff.max_ms'],
  [{ backoff: { last_ms: 1 } }, 'backoff.last_ms'],
  [{ ordered: 'yes' }, 'ordered'],
  [{ ordered: null }, 'ordered'],
];

export const subscriptionCases: readonly ProtocolCase[] = [
  {
    name: 'a subscription is made with defaults, and read as it was made',
    async run(server) {
      const one = new Subscriber(server);
      const answer = await one.send('PUT', '', { topics: [server.topic()] });
      assert.equal(answer.status, 201, answer.text);
      const { created_at, version, ...made } = answer.json();
      assert.match(String(version), /^[0-9a-f]{32}$/);
      assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.deepEqual(made, {
        name: server.scope,
        topics: [server.topic()],
        ack_wait_ms: 30_000,
        max_attempts: 5,
        max_in_flight: 1000,
        backoff: { first_ms: 1000, max_ms: 60_000 },
        ordered: false,
        cursor: 0,
        leased: 0,
        waiting: 0,
        dead: 0,
      });
      assert.deepEqual(await one.look(), {
        ...answer.json<object>(),
        lag: { events: 0, age_seconds: null },
      });
    },
  },
  {
    name: 'put again it has the new definition, whole, and keeps its place and what is handed out',
    async run(server) {
      await server.publish(...server.events(3));
      const one = await Subscriber.make(server, { max_attempts: 7 });
      const fetched = await one.fetch({ max: 2 });
      const { cursor } = await one.look();
      const answer = await one.send('PUT', '', {
        topics: [server.topic()],
        ack_wait_ms: 60_000,
        start: 'latest',
      });
      assert.equal(answer.status, 200, answer.text);
      const now = await one.look();
      assert.deepEqual(
        [now.topics, now.ack_wait_ms, now.max_attempts, now.cursor, now.leased],
        [[server.topic()], 60_000, 5, cursor, 2],
      );
      assert.equal((await one.ack(leasesOf(fetched))).counted, 2);
      assert.deepEqual(idsOf(await one.fetch()), ['e2']);
    },
  },
  {
    name: 'the ETag is the version of the definition, and If-Match and If-None-Match are held to it',
    async run(server) {
      const one = new Subscriber(server);
      const definition = { topics: [server.topic()] };
      const put = async (headers: Record<string, string>) => await one.send('PUT', '', definition, headers);
      assertProblem(await put({ 'if-match': '*' }), 412, 'subscription_changed');
      assertProblem(await one.send('GET'), 404, 'subscription_unknown');
      const made = await put({ 'if-none-match': '*' });
      const first = String(made.headers['etag']);
      assert.deepEqual([made.status, first], [201, `"${made.json<{ version: string }>().version}"`]);
      assertProblem(await put({ 'if-none-match': '*' }), 412, 'subscription_changed');

      await server.publish(server.event());
      await one.take(1);
      const seen = await one.send('GET');
      assert.equal(seen.headers['etag'], first, 'what it does does not change the definition');
      const changed = await put({ 'if-match': `"other", ${first}` });
      const second = String(changed.headers['etag']);
      assert.equal(changed.status, 200, changed.text);
      assert.notEqual(second, first);
      for (const headers of [
        { 'if-match': first },
        { 'if-match': `W/${second}` },
        { 'if-none-match': second },
        { 'if-match': second, 'if-none-match': '*' },
      ]) {
        assertProblem(await put(headers), 412, 'subscription_changed');
      }
      assert.equal((await one.send('GET')).headers['etag'], second);
      assert.equal((await put({})).status, 200, 'without a condition the last one wins');
      assertProblem(await put({ 'if-match': second.slice(1) }), 400, 'request_invalid');
      await one.send('DELETE');
      assertProblem(await put({ 'if-match': second }), 412, 'subscription_changed');
      const again = await put({ 'if-none-match': second });
      assert.equal(again.status, 201, again.text);
      assert.ok(![first, second].includes(String(again.headers['etag'])));
    },
  },
  {
    name: 'a removal is held to If-Match and If-None-Match, where there is anything to remove',
    async run(server) {
      const one = new Subscriber(server);
      const remove = async (headers: Record<string, string>) =>
        await one.send('DELETE', '', undefined, headers);
      assertProblem(await remove({ 'if-match': '*' }), 404, 'subscription_unknown');
      const { version: first } = await one.put();
      const { version } = await one.put();
      for (const headers of [{ 'if-match': `"${first}"` }, { 'if-none-match': `"${version}"` }]) {
        assertProblem(await remove(headers), 412, 'subscription_changed');
      }
      assertProblem(await remove({ 'if-match': version }), 400, 'request_invalid');
      assert.equal((await one.look()).version, version);
      const removed = await remove({ 'if-match': `"${version}"` });
      assert.equal(removed.status, 204, removed.text);
      assertProblem(await remove({ 'if-match': `"${version}"` }), 404, 'subscription_unknown');
    },
  },
  {
    name: 'of two who change what they have seen at once, one is told so',
    async run(server) {
      const one = await Subscriber.make(server);
      for (let round = 0; round < 5; round++) {
        const { etag } = (await one.send('GET')).headers;
        const answers = await Promise.all(
          [1, 2].map((max_attempts) =>
            one.send('PUT', '', { topics: ['a'], max_attempts }, { 'if-match': String(etag) }),
          ),
        );
        assert.deepEqual(
          answers.map(({ status }) => status).sort((a, b) => a - b),
          [200, 412],
        );
        const { max_attempts, version } = await one.look();
        const done = answers.find(({ status }) => status === 200)?.json<{ max_attempts: number }>();
        assert.deepEqual({ ...done, max_attempts, version }, done);
      }
    },
  },
  {
    name: '409: a webhook neither ends nor begins by the way, and nobody fetches what is sent to one',
    async run(server) {
      const one = await Subscriber.make(server);
      const webhook = { url: 'https://sekali.example/hook' };
      const topics = [server.topic()];
      const put = async (more: object, headers: Record<string, string> = {}) =>
        await one.send('PUT', '', { topics, ...more }, headers);
      const before = await one.look();
      const clash = assertProblem(await put({ webhook }), 409, 'webhook_conflict');
      assert.match(clash.detail, /has no webhook, and consumers may fetch from it: .* If-Match/);
      assertProblem(await put({ webhook }, { 'if-match': '*' }), 409, 'webhook_conflict');
      assert.deepEqual(await one.look(), before);
      const turned = await put({ webhook }, { 'if-match': `"${before.version}"` });
      assert.equal(turned.status, 200, turned.text);

      const other = assertProblem(await put({}), 409, 'webhook_conflict');
      assert.match(other.detail, /has a webhook, which a definition without one would end: .* null/);
      const { version, webhook: kept } = await one.look();
      assertProblem(await put({}, { 'if-match': `"${version}"` }), 409, 'webhook_conflict');
      assert.equal(kept?.url, webhook.url);
      for (const wait_ms of [0, 60_000]) {
        const refused = await one.send('POST', '/fetch', { wait_ms });
        assert.match(assertProblem(refused, 409, 'webhook_conflict').detail, /are sent to its webhook/);
      }
      assert.equal((await put({ webhook: { ...webhook, concurrency: 2 } })).status, 200);
      assert.equal((await put({ webhook: null })).status, 200);
      assert.equal((await one.fetch()).count, 0);
      assert.equal((await one.look()).webhook, undefined);
      assert.equal((await put({ webhook: null })).status, 200);
    },
  },
  {
    name: 'a fetch that waits ends when its subscription is given a webhook',
    async run(server) {
      const one = await Subscriber.make(server);
      const waiting = one.send('POST', '/fetch', { wait_ms: 60_000 });
      await one.fetch(); // it was looked for by now
      const { version, topics } = await one.look();
      const webhook = { url: 'https://sekali.example/hook' };
      await one.send('PUT', '', { topics, webhook }, { 'if-match': `"${version}"` });
      assertProblem(await waiting, 409, 'webhook_conflict');
    },
  },
  {
    name: '422: a definition that is not valid is refused, with the member and the rule, and nothing is made',
    async run(server) {
      const one = new Subscriber(server);
      for (const [change, member] of BAD_DEFINITIONS) {
        const answer = await one.send('PUT', '', { topics: ['a'], ...change });
        const problem = assertProblem(answer, 422, 'subscription_invalid');
        assert.equal(problem['member'], member, answer.text);
        assert.ok(problem.detail.replaceAll('"', '').startsWith(`${member} `), problem.detail);
      }
      assertProblem(await one.send('GET'), 404, 'subscription_unknown');
    },
  },
  {
    name: '422: a member that is not known is refused, with the nearest that is',
    async run(server) {
      const one = new Subscriber(server);
      for (const [given, meant] of [
        ['ackWaitMs', 'ack_wait_ms'],
        ['maxAttempts', 'max_attempts'],
        ['topic', 'topics'],
      ] as const) {
        const answer = await one.send('PUT', '', { topics: ['a'], [given]: 1 });
        const { detail, member } = assertProblem(answer, 422, 'subscription_invalid');
        assert.equal(member, given);
        assert.match(detail, new RegExp(`did you mean "${meant}"\\?$`));
      }
      await one.put();
      const answer = await one.send('POST', '/fetch', { limit: 1, wait: 1 });
      assert.equal(assertProblem(answer, 422, 'subscription_invalid')['member'], 'limit');
    },
  },
  {
    name: 'a name is any name, percent-encoded; one that cannot be is refused, and unknown everywhere else',
    async run(server) {
      for (const name of ['a/b?c#d', 'ü 🎉', '%2F', '..', `${server.scope} ${'🎉'.repeat(200)}`]) {
        const one = new Subscriber(server, name);
        assert.equal((await one.put()).name, name);
        assert.equal((await one.look()).name, name);
        assert.equal((await one.send('DELETE')).status, 204);
      }
      for (const name of ['a'.repeat(256), ' ', '\u0000', 'a\nb']) {
        const one = new Subscriber(server, name);
        const refused = await one.send('PUT', '', { topics: ['a'] });
        assert.equal(assertProblem(refused, 422, 'subscription_invalid')['member'], 'name');
        assertProblem(await one.send('GET'), 404, 'subscription_unknown');
        assertProblem(await one.send('POST', '/fetch', {}), 404, 'subscription_unknown');
      }
    },
  },
  {
    name: '404: an unknown subscription, at each of its addresses',
    async run(server) {
      const one = new Subscriber(server);
      const leases = { lease: '0'.repeat(32), positions: [1] };
      for (const [method, below, body] of [
        ['GET', '', undefined],
        ['DELETE', '', undefined],
        ['POST', '/fetch', {}],
        ['POST', '/fetch', { wait_ms: 60_000 }],
        ['POST', '/ack', leases],
        ['POST', '/nack', leases],
        ['POST', '/extend', leases],
        ['POST', '/seek', { to: 'latest' }],
        ['POST', '/seek', { to: 'latest', dry_run: true }],
        ['GET', '/dead-letters', undefined],
        ['POST', '/dead-letters/redrive', { all: true }],
        ['POST', '/dead-letters/discard', { positions: [1] }],
      ] as const) {
        assertProblem(await one.send(method, below, body), 404, 'subscription_unknown');
      }
    },
  },
  {
    name: 'subscriptions come by name, page after page',
    async run(server) {
      const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${server.scope}.${name}`);
      for (const name of names.toReversed()) await new Subscriber(server, name).put();
      const found: string[] = [];
      for (let after: string | null = server.scope; after !== null && after <= names[4]!; ) {
        const page: SubscriptionsAnswer = await server.read('/subscriptions', { after, limit: 2 });
        assert.equal(page.count, page.subscriptions.length);
        found.push(...page.subscriptions.map(({ name }) => name));
        after = page.next;
      }
      assert.deepEqual(
        found.filter((name) => name.startsWith(server.scope)),
        names,
      );
      for (const query of ['limit=0', 'limit=1001', 'after=', 'name=a'])
        assertProblem(await server.send(`/subscriptions?${query}`), 422, 'parameter_invalid');
    },
  },
  {
    name: 'one that is removed is gone with all it kept; made again it begins anew, and old leases are stale',
    async run(server) {
      await server.publish(server.event());
      const one = await Subscriber.make(server);
      const leases = leasesOf(await one.fetch());
      const removed = await one.send('DELETE');
      assert.deepEqual([removed.status, removed.body.length], [204, 0]);
      assertProblem(await one.send('GET'), 404, 'subscription_unknown');
      assertProblem(await one.send('DELETE'), 404, 'subscription_unknown');
      await one.put();
      assert.equal((await one.ack(leases)).refused[0]?.code, 'lease_stale');
      assert.equal((await one.fetch()).events[0]?.attempt, 1);
    },
  },
  {
    name: 'a fetch that waits ends when its subscription is removed',
    async run(server) {
      const one = await Subscriber.make(server);
      const waiting = one.send('POST', '/fetch', { wait_ms: 60_000 });
      await one.fetch(); // it was looked for by now
      await one.send('DELETE');
      assertProblem(await waiting, 404, 'subscription_unknown');
    },
  },
  {
    name: 'a new one begins where it is told to',
    async run(server) {
      const { results } = await server.publish(...server.events(2));
      const between = results[1]!;
      await server.publish(...server.events(1, { event_id: 'e2' }));
      const starts = [
        ['earliest', ['e0', 'e1', 'e2']],
        ['latest', []],
        [{ after: between.position! }, ['e2']],
        [{ after: 0 }, ['e0', 'e1', 'e2']],
        [{ since: '1900-01-01T00:00:00Z' }, ['e0', 'e1', 'e2']],
        [{ since: between.first_seen_at! }, undefined],
        [{ since: '9999-12-31T23:59:59Z' }, []],
      ] as const;
      for (const [i, [start, expected]] of starts.entries()) {
        const one = new Subscriber(server, `${server.scope}.${i}`);
        await one.put({ start });
        const ids = idsOf(await one.fetch());
        // Both were stored at once, or within the same millisecond as others.
        if (expected === undefined) assert.deepEqual(ids.slice(-2), ['e1', 'e2']);
        else assert.deepEqual(ids, expected, JSON.stringify(start));
      }
    },
  },
  {
    name: '422: a place beyond the last position is refused, and nothing is made or moved',
    async run(server) {
      const { results } = await server.publish(server.event());
      const last = results[0]!.position!;
      const after = Number.MAX_SAFE_INTEGER;
      const topics = [`${server.scope}.>`];
      const one = new Subscriber(server);
      for (const dry_run of [false, true]) {
        const put = await one.send('PUT', '', { topics, start: { after } });
        const { detail, member } = assertProblem(put, 422, 'subscription_invalid');
        assert.equal(member, 'start.after');
        assert.match(detail, /^start\.after must be at most the last position, \d+, not \d+: /);
        if (!dry_run) assertProblem(await one.send('GET'), 404, 'subscription_unknown');
        await one.put({ start: { after: last } });
        const sought = await one.send('POST', '/seek', { to: { after }, dry_run });
        assert.equal(assertProblem(sought, 422, 'subscription_invalid')['member'], 'to.after');
        assert.equal((await one.look()).cursor, last);
      }
    },
  },
  {
    name: 'moved back, all above the place is handed out again; dry, only told',
    async run(server) {
      const { results } = await server.publish(...server.events(4));
      const second = results[1]!.position!;
      const one = await Subscriber.make(server);
      const fetched = await one.fetch({ max: 3 });
      const dry = await one.seek({ to: { after: second }, dry_run: true });
      assert.deepEqual(dry, { cursor: second, events: 2, dry_run: true });
      assert.equal((await one.look()).leased, 3);
      assert.deepEqual(await one.seek({ to: { after: second } }), {
        cursor: second,
        events: 2,
        dry_run: false,
      });
      const { refused } = await one.ack(leasesOf(fetched));
      assert.deepEqual(
        refused.map(({ code }) => code),
        ['lease_stale', 'lease_stale', 'lease_stale'],
      );
      assert.deepEqual(idsOf(await one.fetch()), ['e2', 'e3']);
      assert.equal((await one.seek({ to: 'latest' })).events, 0);
      assert.deepEqual((await one.fetch()).events, []);
      assert.equal((await one.seek({ to: 'earliest' })).events, 4);
      assert.deepEqual(idsOf(await one.fetch()), ['e0', 'e1', 'e2', 'e3']);
      for (const [body, member] of [
        [{}, 'to'],
        [{ to: 'start' }, 'to'],
        [{ to: { after: 'x' } }, 'to.after'],
        [{ to: 'latest', dryRun: true }, 'dryRun'],
        [{ to: 'latest', dry_run: 1 }, 'dry_run'],
      ] as const) {
        const answer = await one.send('POST', '/seek', body);
        assert.equal(assertProblem(answer, 422, 'subscription_invalid')['member'], member);
      }
    },
  },
  {
    name: 'lag tells what is still to be handed out, and since when the oldest is not acknowledged',
    async run(server) {
      await server.publish(...server.events(3));
      const one = await Subscriber.make(server);
      const before = (await one.look()).lag;
      assert.equal(before.events, 3);
      assert.ok(before.age_seconds !== null && before.age_seconds >= 0 && before.age_seconds < 60);
      const fetched = await one.fetch();
      const { lag, leased } = await one.look();
      assert.deepEqual([lag.events, leased], [0, 3]);
      assert.ok(lag.age_seconds !== null && lag.age_seconds >= before.age_seconds);
      await one.ack(leasesOf(fetched));
      assert.deepEqual((await one.look()).lag, { events: 0, age_seconds: null });
    },
  },
  {
    name: 'a body is small JSON, an object, each member once',
    async run(server) {
      const one = await Subscriber.make(server);
      const path = `${one.path}/fetch`;
      const send = async (body: string | Uint8Array, headers: Record<string, string> = {}) =>
        await server.send(path, { method: 'POST', headers, body });
      for (const body of ['', '{}', '\ufeff{}', ' {"max":1} '])
        assert.equal((await send(body)).status, 200, body);
      const broken = assertProblem(await send('{"max":'), 400, 'json_invalid');
      assert.equal(broken['offset'], 7);
      for (const body of ['{"max":1}{}', '{"max":1,}', '{max:1}', '{"max":01}', 'max=1'])
        assertProblem(await send(body), 400, 'json_invalid');
      assertProblem(await send(Buffer.from([0x7b, 0xff, 0x7d])), 400, 'utf8_invalid');
      for (const body of ['[]', '1', 'null', '"a"', '{"max":1,"max":1}', `{"max":${'['.repeat(99)}`])
        assertProblem(await send(body), 422, 'subscription_invalid');
      for (const type of ['text/plain', 'application/x-ndjson', 'application/json; charset=latin1'])
        assertProblem(await send('{}', { 'content-type': type }), 415, 'media_type_unknown');
      assertProblem(await send('{}', { 'content-encoding': 'lzma' }), 415, 'encoding_unknown');
      const large = assertProblem(await send(' '.repeat(2 * 1024 * 1024 + 1)), 413, 'body_too_large');
      assert.equal(large['limit'], 2 * 1024 * 1024);
      assertProblem(await server.send(`${path}?max=1`, { method: 'POST' }), 422, 'parameter_invalid');
    },
  },
  {
    name: 'a web page of another origin changes nothing',
    async run(server) {
      const one = await Subscriber.make(server);
      const headers = { origin: 'https://evil.example' };
      for (const [method, below] of [
        ['PUT', ''],
        ['DELETE', ''],
        ['POST', '/fetch'],
        ['POST', '/seek'],
      ] as const) {
        const answer = await server.send(`${one.path}${below}`, { method, headers });
        assertProblem(answer, 403, 'origin_refused');
      }
    },
  },
];
