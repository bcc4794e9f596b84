/** What subscriptions in PostgreSQL promise beyond the contract: many at once, and connections that break. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { connect, type SqlClient } from '../../src/store/postgres/connection.ts';
import { openImport } from '../../src/store/postgres/import-session.ts';
import { migrateDatabase } from '../../src/store/postgres/migrate.ts';
import { PostgresSubscriptions } from '../../src/store/postgres/postgres-subscriptions.ts';
import type { LeaseRef, Settled } from '../../src/store/subscription-store.ts';
import { freePort } from '../support/services/free-port.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { DEFINITION, dueNow, LONG_MS, lease, leaseOf, refsOf, rowsOf } from './subscriptions/case.ts';

const services = useServices('postgres');
const { options } = services;

/** Two instances on a database, and a connection to look at it. */
class Two implements AsyncDisposable {
  readonly databaseUrl: string;
  readonly one: PostgresSubscriptions;
  readonly other: PostgresSubscriptions;
  readonly sql: SqlClient;

  private constructor(databaseUrl: string, sql: SqlClient) {
    this.databaseUrl = databaseUrl;
    this.one = PostgresSubscriptions.open({ databaseUrl });
    this.other = PostgresSubscriptions.open({ databaseUrl });
    this.sql = sql;
  }

  static async open(): Promise<Two> {
    const databaseUrl = await services.postgres();
    await migrateDatabase(databaseUrl);
    return new Two(databaseUrl, await connect(databaseUrl));
  }

  async connections(): Promise<number> {
    const { rows } = await this.sql.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sekali subscriptions'",
    );
    return rows[0].n as number;
  }

  async cut(): Promise<void> {
    await this.sql.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sekali subscriptions'",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.one.close(), this.other.close()]);
    await this.sql.end();
  }
}

const WAIT = () => ({ kind: 'wait', delayMs: 0, reason: undefined }) as const;
const DEAD = () => ({ kind: 'dead', reason: 'poison' }) as const;

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

test(
  'whoever settles the same leases at once, in whatever order, each counts once and nobody fails',
  options,
  async () => {
    await using two = await Two.open();
    await two.one.put('billing', DEFINITION, 0);
    const positions = Array.from({ length: 200 }, (_, n) => n + 1);
    for (let round = 1; round <= 10; round++) {
      const refs = refsOf(leaseOf(round), ...positions);
      await lease(two.one, 'billing', rowsOf(...positions), { as: leaseOf(round) });
      const settle = [two.one, two.other].flatMap((store): ((refs: LeaseRef[]) => Promise<Settled[]>)[] => [
        (refs) => store.ack('billing', refs),
        (refs) => store.nack('billing', refs, WAIT),
        (refs) => store.nack('billing', refs, DEAD),
      ]);
      const ends = settle.map(async (end) => {
        const mine = shuffled(refs);
        return { mine, settled: await end(mine) };
      });
      const extended = [two.one, two.other].map((store) => store.extend('billing', shuffled(refs), LONG_MS));
      const done = (await Promise.all(ends)).flatMap(({ mine, settled }) =>
        mine.filter((_, i) => settled[i] === 'done').map(({ position }) => position),
      );
      await Promise.all(extended);
      assert.deepEqual(
        done.toSorted((a, b) => a - b),
        positions,
      );
    }
  },
);

test(
  'hand-outs, settling, redriving, moving and removing go on beside one another without a failure',
  options,
  async () => {
    await using two = await Two.open();
    const stores = [two.one, two.other];
    await two.one.put('billing', DEFINITION, 0);
    const held: LeaseRef[] = [];
    const acked = new Set<string>();
    const handOut = async (n: number) => {
      const as = randomUUID().replaceAll('-', '');
      const given = await stores[n % 2]!.handOut('billing', async (hand) => {
        const due = await hand.due(20);
        const { cursor } = hand.subscription;
        const fresh = rowsOf(...Array.from({ length: 20 }, (_, i) => cursor + i + 1));
        const [first, ...rest] = due;
        if (first !== undefined) await hand.bury([{ position: first.position, reason: 'first' }]);
        await hand.lease([...rest, ...fresh], as, n % 5 === 0 ? 5 : LONG_MS);
        await hand.advance(cursor + 20);
        return [...rest, ...fresh];
      });
      held.push(...refsOf(as, ...(given ?? []).map(({ position }) => position)));
    };
    const settle = async (n: number) => {
      const mine = shuffled(held).slice(0, 40);
      const store = stores[n % 2]!;
      if (n % 3 === 0) await store.nack('billing', mine, n % 2 === 0 ? WAIT : DEAD);
      if (n % 3 === 1) await store.extend('billing', mine, LONG_MS);
      const settled = await store.ack('billing', mine);
      mine.forEach(({ position, lease }, i) => {
        if (settled[i] !== 'done') return;
        assert.ok(!acked.has(`${position} ${lease}`), 'a lease counts once');
        acked.add(`${position} ${lease}`);
      });
    };
    const change = async (n: number) => {
      const store = stores[n % 2]!;
      await store.put('billing', DEFINITION, 0);
      await store.redrive('billing', { topic: undefined });
      if (n % 4 === 0) await store.seek('billing', 10 * n);
      if (n % 7 === 0) await store.discard('billing', { topic: 'orders.eu' });
      if (n % 10 === 9) await store.remove('billing');
    };
    await Promise.all([
      ...[0, 100].map((from) => repeat(30, handOut, from)),
      ...[0, 101, 202].map((from) => repeat(40, settle, from)),
      repeat(20, change, 1),
    ]);
    assert.ok(acked.size > 0);
    await two.one.put('billing', DEFINITION, 0);
    const { rows } = await two.sql.query(
      'SELECT count(*)::int AS n FROM sekali.deliveries WHERE subscription_id NOT IN (SELECT subscription_id FROM sekali.subscriptions)',
    );
    assert.equal(rows[0].n, 0, 'no row is left of a subscription that is gone');
  },
);

test('a lease that is extended while it is acknowledged is acknowledged', options, async () => {
  await using two = await Two.open();
  await two.one.put('billing', DEFINITION, 0);
  await lease(two.one, 'billing', rowsOf(1, 2, 3), { forMs: LONG_MS });
  await two.sql.query(
    "BEGIN; UPDATE sekali.deliveries SET due_at = due_at + interval '1 hour' WHERE position = 2",
  );
  const ack = two.one.ack('billing', refsOf(leaseOf(1), 3, 2, 1));
  await untilWaiting(two, 1);
  await two.sql.query('COMMIT');
  assert.deepEqual(await ack, ['done', 'done', 'done']);
  assert.equal((await two.one.get('billing'))?.leased, 0);
});

test('a lease whose time runs out while its row is waited for is expired', options, async () => {
  await using two = await Two.open();
  await two.one.put('billing', DEFINITION, 0);
  await lease(two.one, 'billing', rowsOf(1), { forMs: LONG_MS });
  await two.sql.query('BEGIN; UPDATE sekali.deliveries SET due_at = clock_timestamp()');
  const ack = two.one.ack('billing', refsOf(leaseOf(1), 1));
  await untilWaiting(two, 1);
  await two.sql.query('COMMIT');
  assert.deepEqual(await ack, ['lease_expired']);
  assert.equal((await two.one.get('billing'))?.leased, 1);
});

test(
  'who wants to hand out of one subscription waits with one connection, and others are served',
  options,
  async () => {
    await using two = await Two.open();
    for (const name of ['busy', 'other']) await two.one.put(name, DEFINITION, 0);
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const first = two.one.handOut('busy', async () => {
      entered.resolve();
      await gate.promise;
      return {};
    });
    await entered.promise;
    const waiting = Array.from({ length: 50 }, () => two.one.handOut('busy', async () => ({})));
    await lease(two.one, 'other', rowsOf(1));
    assert.ok((await two.connections()) <= 3, `${await two.connections()} connections`);
    gate.resolve();
    await first;
    assert.equal((await Promise.all(waiting)).length, 50);
  },
);

test(
  'a hand-out whose connection breaks leaves nothing, fails even if its work does not, and the next one goes on',
  options,
  async () => {
    await using two = await Two.open();
    await two.one.put('billing', DEFINITION, 0);
    const broken = two.one.handOut('billing', async (hand) => {
      await hand.lease(rowsOf(1), leaseOf(1), LONG_MS);
      await two.cut();
      await hand.advance(1).catch(() => {});
      return {};
    });
    await assert.rejects(broken, { code: 'store_unavailable' });
    const found = await until('calls go through again', () => two.one.get('billing').catch(() => undefined));
    assert.deepEqual([found.cursor, found.leased], [0, 0]);
    await lease(two.one, 'billing', rowsOf(1), { as: leaseOf(2) });
    assert.deepEqual(await two.other.ack('billing', refsOf(leaseOf(2), 1)), ['done']);
  },
);

test('a hand-out that goes on after its end does nothing', options, async () => {
  await using two = await Two.open();
  await two.one.put('billing', DEFINITION, 0);
  const hand = await two.one.handOut('billing', async (given) => given);
  await assert.rejects(hand!.advance(9), /has ended/);
  assert.equal((await two.one.get('billing'))?.cursor, 0);
});

test('texts that PostgreSQL has trouble with are kept, or kept legible', options, async () => {
  await using two = await Two.open();
  const topics = ['%_.\\', "'; DROP TABLE x", '{a,b}', '"', '\u{1f9c0}.>'];
  await two.one.put('billing', { ...DEFINITION, topics }, 0);
  assert.deepEqual((await two.one.get('billing'))?.topics, topics);
  const rows = topics.map((topic, i) => ({ position: i + 1, topic, attempts: 1 }));
  await lease(two.one, 'billing', rows);
  const given: string[] = [];
  await two.one.nack('billing', refsOf(leaseOf(1), 1, 2, 3, 4, 5), ({ topic }) => {
    given.push(topic);
    return { kind: 'wait', delayMs: 0, reason: `a\0b ${topic}` };
  });
  assert.deepEqual(given, topics);
  const due = await until('all are due', async () => {
    const found = await dueNow(two.one, 'billing');
    return found.length === topics.length && found;
  });
  assert.deepEqual(
    due.map(({ reason }) => reason),
    topics.map((topic) => `a\u{fffd}b ${topic}`),
  );
  assert.deepEqual(await two.one.ack('billing', [{ position: 1, lease: 'no lease' }]), ['lease_stale']);

  assert.equal(await two.one.get('billing\0'), undefined);
  assert.equal(await two.one.remove('billing\0'), 'unknown');
  assert.deepEqual(await two.one.ack('billing\0', refsOf(leaseOf(1), 1)), ['lease_stale']);
  assert.equal(await two.one.redrive('billing', { topic: '\0' }), 0);
  assert.equal((await two.one.list({ after: 'bill\0', limit: 9 })).length, 1);
});

test('a database that is away or not migrated yet fails the calls of that time', options, async () => {
  const nowhere = PostgresSubscriptions.open({
    databaseUrl: `postgres://nobody@127.0.0.1:${await freePort()}/none`,
  });
  await assert.rejects(nowhere.get('billing'), { code: 'store_unavailable' });
  await assert.rejects(
    nowhere.handOut('billing', async () => ({})),
    { code: 'store_unavailable' },
  );
  await nowhere.close();
  await assert.rejects(nowhere.get('billing'), { code: 'store_unavailable' });

  const databaseUrl = await services.postgres();
  const early = PostgresSubscriptions.open({ databaseUrl });
  await assert.rejects(early.put('billing', DEFINITION, 0), { code: 'store_unavailable' });
  await migrateDatabase(databaseUrl);
  assert.equal((await early.put('billing', DEFINITION, 0))?.created, true);
  await early.close();
});

test(
  'nothing is imported into a database that has a subscription, whose cursor would mean other events',
  options,
  async () => {
    const databaseUrl = await services.postgres();
    await migrateDatabase(databaseUrl);
    const store = PostgresSubscriptions.open({ databaseUrl });
    await store.put('billing', DEFINITION, 7);
    await store.close();
    await assert.rejects(openImport(databaseUrl), { code: 'config_invalid', message: /no subscription/ });
  },
);

async function repeat(times: number, work: (n: number) => Promise<void>, from: number): Promise<void> {
  for (let n = from; n < from + times; n++) await work(n);
}

async function untilWaiting(two: Two, count: number): Promise<void> {
  await until(`${count} wait for a lock`, async () => {
    const { rows } = await two.sql.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sekali subscriptions' AND wait_event_type = 'Lock'",
    );
    return rows[0].n === count;
  });
}
