/** What retention removes in PostgreSQL, and what it leaves: rows, partitions, keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/store/postgres/connection.ts';
import { Housekeeping } from '../../src/store/postgres/housekeeping.ts';
import { Janitor } from '../../src/store/postgres/janitor.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { freePort } from '../support/services/free-port.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne, verdictsOf } from './store/case.ts';

const services = useServices('postgres');

async function age(pg: PostgresFixture, upTo: number, seconds: number): Promise<void> {
  await pg.sql.query(
    `UPDATE sekali.events SET processed_at = processed_at - interval '${seconds} s' WHERE position <= ${upTo}`,
  );
}

test(
  'a topic keeps so many events and no more; the others stay, and so do the keys',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(
      pg.store,
      ...makeEvents(20, 'a-', { topic: 'a' }),
      ...makeEvents(5, 'b-', { topic: 'b' }),
    );
    await pg.housekeeping([['a', { count: 3 }]]).runOnce();

    assert.deepEqual(await pg.positions(), [18, 19, 20, 21, 22, 23, 24, 25]);
    assert.deepEqual(await pg.positions({ topic: 'a', order: 'desc' }), [20, 19, 18]);
    assert.equal(await pg.reader.eventAt(17), undefined);
    assert.equal(await pg.store.find('a', 'a-0'), 1);
    assert.deepEqual(
      await verdictsOf(pg.store, makeEvent({ topic: 'a', event_id: 'a-0', payload: { i: 0 } })),
      ['duplicate'],
    );
    const [topic] = await pg.reader.topics({ after: undefined, limit: 10 });
    assert.deepEqual([topic?.events, topic?.retired, topic?.duplicates], [20, 17, 1]);
    assert.equal(await pg.count('sekali.events'), 8, 'the rows are deleted');
  },
);

test('a topic keeps so many bytes, and the event that is over by one goes', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  // "e0", "shop" and {"a":1}: 13 bytes each.
  await appendOne(
    pg.store,
    ...Array.from({ length: 9 }, (_, n) => makeEvent({ event_id: `e${n}`, payload: { a: 1 } })),
  );
  const { rows } = await pg.sql.query('SELECT sum(bytes)::int AS bytes FROM sekali.topic_counts');
  assert.equal(rows[0].bytes, 117);
  await pg.housekeeping([['*', { bytes: 65 }]]).runOnce();
  assert.deepEqual(await pg.positions(), [5, 6, 7, 8, 9]);
  await pg.housekeeping([['*', { bytes: 64 }]]).runOnce();
  assert.deepEqual(await pg.positions(), [6, 7, 8, 9]);
});

test('a topic keeps what is young enough, up to the first event that is', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(10));
  await age(pg, 6, 100);
  await pg.housekeeping([['orders', { ageS: 101 }]]).runOnce();
  assert.equal((await pg.positions()).length, 10);
  await pg.housekeeping([['orders', { ageS: 99 }]]).runOnce();
  assert.deepEqual(await pg.positions(), [7, 8, 9, 10]);
  assert.equal(await pg.count('sekali.events'), 10, 'rows that will go with their partition are left to it');
  await age(pg, 6, 100);
  await pg.housekeeping([['orders', { ageS: 99 }]]).runOnce();
  assert.equal(await pg.count('sekali.events'), 4, 'but not for longer than twice their time');
});

test('more than one bite takes is retired in one run', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  for (let n = 0; n < 3; n++) await appendOne(pg.store, ...makeEvents(9000, `${n}-`));
  await pg.housekeeping([['orders', { count: 10 }]]).runOnce();
  assert.equal((await pg.positions()).length, 10);
  assert.equal(await pg.count('sekali.events'), 10);
});

test(
  'nothing above the horizon is retired, for what comes in below must be counted',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, ...makeEvents(4, 'first-'));
    const open = await pg.beginAppend(2, 'slow-');
    await appendOne(pg.store, ...makeEvents(4, 'fast-'));
    const housekeeping = pg.housekeeping([['orders', { count: 1 }]]);
    await housekeeping.runOnce();
    assert.deepEqual(await pg.positions(), []);
    await open.commit();
    assert.deepEqual(await pg.positions(), [5, 6, 7, 8, 9, 10]);
    await housekeeping.runOnce();
    assert.deepEqual(await pg.positions(), [10]);
    const [topic] = await pg.reader.topics({ after: undefined, limit: 1 });
    assert.deepEqual([topic?.events, topic?.retired], [10, 9]);
  },
);

test(
  'a partition goes when all in it is retired; one that has events of another topic stays',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    await appendOne(pg.store, ...makeEvents(10, 'p1-'));
    await appendOne(pg.store, ...makeEvents(9, 'p11-'), makeEvent({ topic: 'other' }));
    await appendOne(pg.store, ...makeEvents(10, 'p21-'));
    await appendOne(pg.store, ...makeEvents(3, 'p31-'));
    await pg.housekeeping([['orders', { count: 2 }]], 10).runOnce();

    assert.deepEqual(await pg.positions(), [20, 32, 33]);
    assert.deepEqual((await pg.tables()).slice(0, 3), ['events_p11', 'events_p31', 'events_p41']);
    assert.equal(await pg.count('sekali.events'), 3);
    await appendOne(pg.store, ...makeEvents(20, 'p34-'));
    assert.deepEqual(await pg.positions({ after: 50 }), [51, 52, 53]);
  },
);

test(
  'partitions of topics that all have one age are dropped whole, without a row being deleted',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    await appendOne(pg.store, ...makeEvents(25));
    await age(pg, 15, 100);
    const housekeeping = pg.housekeeping([['*', { ageS: 80 }]], 10);
    await housekeeping.runOnce();
    assert.deepEqual(await pg.positions({ limit: 1 }), [16]);
    assert.deepEqual((await pg.tables()).slice(0, 2), ['events_p11', 'events_p21']);
    assert.equal(await pg.count('sekali.events'), 15);
  },
);

test(
  'a drop waits beside readers and writers, and whoever comes next ends it',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    await appendOne(pg.store, ...makeEvents(15));
    await pg.sql.query('BEGIN; SELECT count(*) FROM sekali.events');
    const rules = [['*', { count: 1 }]] as const;
    let isOver = false;
    const dropping = pg
      .housekeeping(rules, 10)
      .runOnce()
      .finally(() => {
        isOver = true;
      });
    const refused = assert.rejects(dropping, /lock timeout/);
    const watch = await connect(pg.databaseUrl);
    await until('the drop waits', async () => {
      const { rows } = await watch.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database()
         AND query LIKE 'ALTER TABLE%CONCURRENTLY' AND wait_event_type = 'Lock'`,
      );
      return rows.length === 1;
    });
    await watch.end();
    await appendOne(pg.store, ...makeEvents(1, 'meanwhile-'));
    assert.deepEqual(await pg.positions(), [15, 16]);
    assert.equal(isOver, false);
    await refused;
    await pg.sql.query('COMMIT');
    await pg.housekeeping(rules, 10).runOnce();
    assert.equal((await pg.tables())[0], 'events_p11');
  },
);

test('a partition that an operator has detached is not touched', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 10);
  await appendOne(pg.store, ...makeEvents(25));
  await pg.sql.query('ALTER TABLE sekali.events DETACH PARTITION sekali.events_p1');
  await pg.housekeeping([['*', { count: 1 }]], 10).runOnce();
  assert.equal(await pg.count('sekali.events_p1'), 10);
});

test(
  'keys go a minute after their window is over, and those without one stay',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, ...makeEvents(4));
    await pg.sql.query(`
    UPDATE sekali.keys SET expires_at = now() - interval '61 s' WHERE position = 1;
    UPDATE sekali.keys SET expires_at = now() - interval '30 s' WHERE position = 2;
    UPDATE sekali.keys SET expires_at = now() + interval '1 s' WHERE position = 3;
    INSERT INTO sekali.consumed_entries VALUES (gen_random_uuid(), now() - interval '8 days'), (gen_random_uuid(), now())`);
    await pg.housekeeping().runOnce();
    const { rows } = await pg.sql.query('SELECT position::int FROM sekali.keys ORDER BY position');
    assert.deepEqual(
      rows.map(({ position }) => position),
      [2, 3, 4],
    );
    assert.equal(await pg.count('sekali.consumed_entries'), 1);
    assert.equal((await pg.positions()).length, 4);
  },
);

test('several instances do the same work at once, once', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 100);
  for (let n = 0; n < 10; n++) await appendOne(pg.store, ...makeEvents(100, `${n}-`));
  const rules = [['*', { count: 50 }]] as const;
  const janitors = [1, 2, 3].map(() => pg.housekeeping(rules, 100));
  await Promise.all(janitors.map((janitor) => janitor.runOnce()));
  await janitors[0]!.runOnce();
  assert.equal((await pg.positions()).length, 50);
  const [topic] = await pg.reader.topics({ after: undefined, limit: 1 });
  assert.deepEqual([topic?.events, topic?.retired], [1000, 950]);
  assert.equal((await pg.tables())[0], 'events_p901');
});

test('it goes on by itself once it is started', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(10));
  pg.housekeeping([['*', { count: 4 }]]).start();
  await until('events are retired', async () => (await pg.positions()).length === 4);
  await appendOne(pg.store, ...makeEvents(10, 'more-'));
  await until('more are retired', async () => (await pg.positions()).at(0) === 17);
});

test('a failure is told once, and it is tried again until it is stopped', async () => {
  const databaseUrl = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  const reasons: string[] = [];
  const work = new Housekeeping({ databaseUrl, onFailure: (reason) => reasons.push(reason) });
  let bites = 0;
  const janitor = new Janitor({
    bite: async () => {
      bites++;
      return await work.bite();
    },
    onFailure: (reason) => work.onFailure(reason),
    close: () => work.close(),
  });
  janitor.start();
  await until('it has been tried twice', async () => bites === 2);
  await janitor.stop();
  assert.equal(reasons.length, 1);
  assert.match(reasons[0]!, /ECONNREFUSED/);
});
