import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { DefinitionCondition } from '../../../src/store/definition-condition.ts';
import {
  countsOf,
  DEFINITION,
  dueNow,
  holdsNone,
  kill,
  LONG_MS,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  SHORT_MS,
  type SubscriptionCase,
  waits,
} from './case.ts';

export const definitionCases: readonly SubscriptionCase[] = [
  {
    name: 'a subscription is as it was put, and begins where it was told to',
    async run({ store }) {
      const before = Date.now();
      const definition = { ...DEFINITION, topics: ['a.*', 'käse.>', 'c'], ordered: true, attemptsMax: 0 };
      const put = await store.put('billing', definition, 41);
      const { createdAtMs, version, ...found } = (await store.get('billing'))!;
      assert.deepEqual(put, { ...found, createdAtMs, version, created: true });
      assert.match(version, /^[0-9a-f]{32}$/);
      const empty = { leased: 0, waiting: 0, dead: 0, oldestOutstanding: undefined };
      assert.deepEqual(found, { ...definition, name: 'billing', cursor: 41, ...empty });
      // A database may have another clock, not another day.
      assert.ok(Math.abs(createdAtMs - before) < 3_600_000, `created at ${createdAtMs}`);
      assert.deepEqual(await store.definition('billing'), definition);
      assert.equal(await store.get('Billing'), undefined, 'names are compared as they are');
      assert.equal(await store.definition('Billing'), undefined);
    },
  },
  {
    name: 'another definition keeps the cursor, when it was made, and what is outstanding and dead',
    async run({ store }) {
      await store.put('billing', DEFINITION, 5);
      await kill(store, 'billing', rowsOf(6));
      await lease(store, 'billing', rowsOf(7, 8));
      const before = (await store.get('billing'))!;
      const changed = {
        topics: ['other', 'more.*'],
        ackWaitMs: 1000,
        attemptsMax: 1,
        inFlightMax: 1,
        backoff: { firstMs: 0, maxMs: 1 },
        ordered: true,
      };
      const put = await store.put('billing', changed, 100);
      assert.deepEqual(put, { ...before, ...changed, version: put?.version, created: false });
      assert.deepEqual({ ...(await store.get('billing')), created: false }, put);
      assert.deepEqual(await store.definition('billing'), changed);
      assert.deepEqual(await store.ack('billing', refsOf(leaseOf(1), 7)), ['done']);
    },
  },
  {
    name: 'a webhook is kept with the definition, as it was put, and goes with the next one',
    async run({ store }) {
      const webhook = {
        url: 'https://example.com/käse?a=1',
        concurrency: 3,
        retryMs: [0, 5000],
        secrets: [
          { secret: 'whsec_b', untilMs: null },
          { secret: 'whsec_a', untilMs: 1_769_860_800_000 },
        ],
        disabledReason: 'HTTP 410',
      };
      await store.put('billing', { ...DEFINITION, webhook }, 0);
      assert.deepEqual((await store.get('billing'))?.webhook, webhook);
      assert.deepEqual((await store.list({ after: undefined, limit: 10 }))[0]?.webhook, webhook);
      await store.put('billing', DEFINITION, 0);
      assert.equal(Object.hasOwn((await store.get('billing'))!, 'webhook'), false);
    },
  },
  {
    name: 'no two puts have one version, and nothing but a put changes it',
    async run({ store }) {
      const versions: unknown[] = [];
      const put = async (name: string) => versions.push((await store.put(name, DEFINITION, 0))?.version);
      await put('one');
      await put('one');
      await put('other');
      await store.remove('one');
      await put('one');
      await lease(store, 'one', rowsOf(1));
      await store.ack('one', refsOf(leaseOf(1), 1));
      await store.seek('one', 7);
      assert.equal(new Set(versions).size, 4);
      assert.equal((await store.get('one'))?.version, versions[3]);
      assert.deepEqual(
        (await store.list({ after: undefined, limit: 9 })).map(({ version }) => version),
        [versions[3], versions[2]],
      );
    },
  },
  {
    name: 'a put on a condition is done when it holds, and else changes nothing',
    async run({ store, other }) {
      const changed = { ...DEFINITION, topics: ['changed'] };
      assert.equal(await store.put('billing', DEFINITION, 0, { match: '*' }), undefined);
      assert.equal(await store.put('billing', DEFINITION, 0, { match: ['0'.repeat(32)] }), undefined);
      assert.equal(await store.get('billing'), undefined);
      const first = await store.put('billing', DEFINITION, 5, { noneMatch: '*' });
      assert.equal(first?.created, true);
      const before = await store.get('billing');
      const version = first?.version ?? '';
      for (const condition of [
        { noneMatch: '*' },
        { noneMatch: ['0', version] },
        { match: [] },
        { match: ['0'.repeat(32)] },
        { match: [version], noneMatch: [version] },
      ] as const) {
        assert.equal(await other.put('billing', changed, 0, condition), undefined, JSON.stringify(condition));
        assert.deepEqual(await store.get('billing'), before);
      }
      const second = await other.put('billing', changed, 0, { match: ['0', version] });
      assert.deepEqual([second?.created, (await store.get('billing'))?.topics], [false, ['changed']]);
      assert.equal(await store.put('billing', DEFINITION, 0, { match: [version] }), undefined, 'once');
      assert.equal((await store.put('billing', DEFINITION, 0, { match: '*' }))?.created, false);
      assert.equal((await store.put('billing', changed, 0, { noneMatch: [version] }))?.created, false);
    },
  },
  {
    name: 'of any number who put on one condition at once, one does it',
    async run({ store, other }) {
      const race = async (condition: DefinitionCondition) => {
        const puts = Array.from({ length: 12 }, (_, i) => {
          const definition = { ...DEFINITION, attemptsMax: i };
          return (i % 2 === 0 ? store : other).put('billing', definition, 0, condition);
        });
        const done = await Promise.all(puts);
        const [winner, ...others] = [...done.keys()].filter((i) => done[i] !== undefined);
        assert.deepEqual([typeof winner, others], ['number', []]);
        const { attemptsMax, version } = (await store.get('billing'))!;
        assert.deepEqual([attemptsMax, version], [winner, done[winner!]?.version]);
        return version;
      };
      let version = await race({ noneMatch: '*' });
      for (let round = 0; round < 5; round++) version = await race({ match: [version] });
    },
  },
  {
    name: 'a definition is not put beneath a hand-out that is at work by the one before',
    async run({ store, other }) {
      const first = await store.put('billing', DEFINITION, 0);
      const puts: ReturnType<typeof store.put>[] = [];
      const definition = { ...DEFINITION, topics: ['other'] };
      await store.handOut('billing', async (hand) => {
        await hand.due(10);
        puts.push(other.put('billing', definition, 0, { match: [first!.version] }));
        await pause(SHORT_MS);
        await hand.lease(rowsOf(1, 2), leaseOf(1), LONG_MS);
        await hand.advance(2);
        return {};
      });
      // Whoever is told that it was put finds everything that was handed out before.
      const [put] = await Promise.all(puts);
      assert.deepEqual([put?.created, put?.cursor, put?.leased], [false, 2, 2]);
      assert.deepEqual(await store.handOut('billing', async (hand) => hand.subscription.topics), ['other']);
    },
  },
  {
    name: 'subscriptions are listed by name, page by page',
    async run({ store }) {
      // Unit by unit, whatever the collation of a database says.
      const names = ['B', '_', 'a', 'a-b', 'ab', 'z'];
      for (const name of names.toReversed()) await store.put(name, DEFINITION, 0);
      await lease(store, 'a-b', rowsOf(3, 4));
      const all = await store.list({ after: undefined, limit: 100 });
      assert.deepEqual(
        all.map(({ name }) => name),
        names,
      );
      assert.deepEqual(all[3], await store.get('a-b'));
      const page = await store.list({ after: 'a', limit: 2 });
      assert.deepEqual(
        page.map(({ name }) => name),
        ['a-b', 'ab'],
      );
      assert.deepEqual(await store.list({ after: 'z', limit: 2 }), []);
    },
  },
  {
    name: 'a subscription that is removed takes all its rows with it, and no others',
    async run({ store }) {
      await store.put('gone', DEFINITION, 0);
      await store.put('stays', DEFINITION, 0);
      for (const name of ['gone', 'stays']) {
        await kill(store, name, rowsOf(1));
        await lease(store, name, rowsOf(2));
      }
      assert.equal(await store.remove('gone'), 'removed');
      assert.equal(await store.remove('gone'), 'unknown');
      assert.equal(await store.get('gone'), undefined);
      assert.equal((await store.put('gone', DEFINITION, 0))?.created, true);
      assert.deepEqual(await countsOf(store, 'gone'), counts({ cursor: 0 }));
      assert.deepEqual(await store.ack('gone', refsOf(leaseOf(1), 2)), ['lease_stale']);
      assert.deepEqual(
        await countsOf(store, 'stays'),
        counts({ cursor: 2, leased: 1, dead: 1, oldestOutstanding: 2 }),
      );
    },
  },
  {
    name: 'a removal on a condition is done when it holds, and else removes nothing',
    async run({ store, other }) {
      assert.equal(await store.remove('billing', { match: '*' }), 'unknown');
      const first = (await store.put('billing', DEFINITION, 0))!.version;
      const { version } = (await store.put('billing', DEFINITION, 0))!;
      await lease(store, 'billing', rowsOf(1));
      const before = await store.get('billing');
      for (const condition of [
        { match: [first] },
        { match: [] },
        { noneMatch: '*' },
        { noneMatch: [version] },
      ] as const) {
        assert.equal(await other.remove('billing', condition), 'changed', JSON.stringify(condition));
        assert.deepEqual(await store.get('billing'), before);
      }
      assert.equal(await other.remove('billing', { match: [first, version] }), 'removed');
      assert.equal(await store.get('billing'), undefined);
      assert.equal(await store.remove('billing', { match: [version] }), 'unknown');
    },
  },
  {
    name: 'of a name that is not there nothing is found, changed or handed out',
    async run({ store }) {
      assert.equal(await store.get('none'), undefined);
      assert.equal(
        await store.handOut('none', async () => assert.fail('there is nothing to work on')),
        undefined,
      );
      assert.deepEqual(await store.ack('none', refsOf(leaseOf(1), 1, 2)), ['lease_stale', 'lease_stale']);
      assert.deepEqual(await store.nack('none', refsOf(leaseOf(1), 1), holdsNone), ['lease_stale']);
      assert.deepEqual(await store.extend('none', refsOf(leaseOf(1), 1), 1000), ['lease_stale']);
      assert.deepEqual(await store.deadLetters('none', { after: 0, limit: 10 }), []);
      assert.equal(await store.redrive('none', { topic: undefined }), 0);
      assert.equal(await store.discard('none', { positions: [1] }), 0);
      assert.equal(await store.seek('none', 0), false);
      assert.deepEqual(await store.list({ after: undefined, limit: 10 }), []);
    },
  },
  {
    name: 'all of it is there when the store is opened again',
    async run({ store, reopen }) {
      await store.put('billing', DEFINITION, 0);
      await kill(store, 'billing', rowsOf(1));
      await lease(store, 'billing', [
        { position: 2, topic: 'orders.\u{1f9c0}', attempts: 3 },
        { position: 2 ** 52, topic: 'orders.eu', attempts: 1 },
      ]);
      await store.nack('billing', refsOf(leaseOf(1), 2), waits(0, 'käse'));
      const before = await store.get('billing');
      const dead = await store.deadLetters('billing', { after: 0, limit: 10 });

      const again = await reopen();
      assert.deepEqual(await again.get('billing'), before);
      assert.deepEqual(await again.deadLetters('billing', { after: 0, limit: 10 }), dead);
      assert.deepEqual(await dueNow(again, 'billing'), [
        { position: 2, topic: 'orders.\u{1f9c0}', attempts: 3, wasLeased: false, reason: 'käse' },
      ]);
      assert.deepEqual(await again.ack('billing', refsOf(leaseOf(1), 2 ** 52)), ['done']);
    },
  },
];

function counts(some: { cursor: number; leased?: number; dead?: number; oldestOutstanding?: number }) {
  return { leased: 0, waiting: 0, dead: 0, oldestOutstanding: undefined, ...some };
}
