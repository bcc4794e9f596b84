import assert from 'node:assert/strict';
import type { ProtocolCase, Query, Target } from './case.ts';

const IDS = Array.from({ length: 25 }, (_, i) => `e${i}`);

/** Follows `next` to the end; every page but the last must be full. */
async function walk(server: Target, query: Query, cursor: 'after' | 'before'): Promise<string[]> {
  const ids: string[] = [];
  let next: Query = {};
  for (;;) {
    const page = await server.page({ ...query, ...next });
    assert.equal(page.count, page.events.length);
    ids.push(...page.events.map((event) => event.event_id));
    if (page.next === null) return ids;
    assert.equal(page.count, query['limit']);
    assert.equal(page.next, page.events.at(-1)?.position);
    next = { [cursor]: page.next };
  }
}

export const pagingCases: readonly ProtocolCase[] = [
  {
    name: 'pages follow one another in both directions, with nothing twice and nothing left out',
    async run(server) {
      // Another topic between them, so that positions have gaps.
      for (const event of server.events(25)) {
        await server.publish(event, server.event({ ...event, topic: server.topic('b') }));
      }
      for (const limit of [1, 7, 24, 25, 26, 1000]) {
        assert.deepEqual(await walk(server, { limit }, 'after'), IDS);
        assert.deepEqual(await walk(server, { limit, order: 'desc' }, 'before'), IDS.toReversed());
        assert.deepEqual(await walk(server, { limit, source: 'shop' }, 'after'), IDS);
      }
    },
  },
  {
    name: 'next is null at the end, also when the last page is full, and on an empty page',
    async run(server) {
      await server.publish(...server.events(4));
      assert.equal((await server.page({ limit: 4 })).next, null);
      assert.equal((await server.page({ limit: 3 })).next, (await server.page()).events[2]?.position);
      assert.deepEqual(await server.page({ topic: server.topic('none') }), {
        count: 0,
        events: [],
        next: null,
      });
    },
  },
  {
    name: 'after and before are positions that are not in the page, in either order',
    async run(server) {
      const { results } = await server.publish(...server.events(5));
      const at = results.map((receipt) => receipt.position!);
      for (const order of ['asc', 'desc']) {
        const sorted = (ids: string[]) => (order === 'asc' ? ids : ids.toReversed());
        assert.deepEqual(await server.ids({ order, after: at[1]! }), sorted(['e2', 'e3', 'e4']));
        assert.deepEqual(await server.ids({ order, before: at[1]! }), ['e0']);
        assert.deepEqual(await server.ids({ order, after: at[0]!, before: at[3]! }), sorted(['e1', 'e2']));
        assert.deepEqual(await server.ids({ order, after: at[3]!, before: at[1]! }), []);
        assert.deepEqual(await server.ids({ order, after: Number.MAX_SAFE_INTEGER }), []);
        assert.deepEqual(await server.ids({ order, before: 0 }), []);
        assert.deepEqual(
          await server.ids({ order, after: 0, before: Number.MAX_SAFE_INTEGER }),
          sorted(IDS.slice(0, 5)),
        );
      }
    },
  },
  {
    name: 'offset passes over that many that match',
    async run(server) {
      await server.publish(...server.events(10));
      assert.deepEqual(await server.ids({ offset: 8 }), ['e8', 'e9']);
      assert.deepEqual(await server.ids({ offset: 8, order: 'desc' }), ['e1', 'e0']);
      assert.deepEqual(await server.ids({ offset: 3, limit: 2 }), ['e3', 'e4']);
      assert.deepEqual(await server.ids({ offset: 10 }), []);
      assert.deepEqual(await server.ids({ offset: 1_000_000 }), []);
    },
  },
  {
    name: 'a page has 100 events unless it says otherwise',
    async run(server) {
      await server.publish(...server.events(101));
      const page = await server.page();
      assert.equal(page.count, 100);
      assert.deepEqual(
        (await server.page({ after: page.next! })).events.map((event) => event.event_id),
        ['e100'],
      );
    },
  },
  {
    name: 'events that are too many for one answer come in pages that are cut short, and none is missing',
    async run(server) {
      const payload = { s: 'x'.repeat(1_000_000) };
      const ids = Array.from({ length: 30 }, (_, i) => `big${i}`);
      for (let i = 0; i < ids.length; i += 10) {
        await server.publish(...ids.slice(i, i + 10).map((event_id) => server.event({ event_id, payload })));
      }
      const found: string[] = [];
      for (let after: number | null = 0; after !== null; ) {
        const answer = await server.send(`/events?topic=${server.topic()}&limit=1000&after=${after}`);
        const page = answer.json<{ next: number | null; events: { event_id: string }[] }>();
        assert.ok(page.events.length > 0 || page.next === null);
        assert.ok(answer.body.length < 16_000_000, `a page of ${answer.body.length} bytes`);
        found.push(...page.events.map((event) => event.event_id));
        after = page.next;
      }
      assert.deepEqual(found, ids);
    },
  },
];
