/**
 * Readers of PostgreSQL see events in the order of their positions, though they are committed in any order: a cursor that has
 * passed a position never has anything come in below it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { PostgresReader } from '../../src/store/postgres/postgres-reader.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { isRunning } from '../support/services/is-running.ts';
import { PostgresServer } from '../support/services/postgres-server.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres', 'postgres-server');

test('what was committed first but has higher positions waits for the other', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(2, 'before-'));
  const open = await pg.beginAppend(3, 'slow-');
  await appendOne(pg.store, ...makeEvents(2, 'fast-'));
  assert.deepEqual(open.positions, [3, 4, 5]);

  assert.deepEqual(await pg.positions(), [1, 2]);
  assert.equal(await pg.reader.lastPosition(), 2);
  assert.equal((await pg.reader.eventAt(6))?.event_id, 'fast-0', 'whoever has the receipt finds the event');
  await open.commit();
  assert.deepEqual(await pg.positions({ after: 2 }), [3, 4, 5, 6, 7]);
});

test(
  'a transaction that is rolled back leaves a gap, and holds nobody back any more',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    const open = await pg.beginAppend(3, 'slow-');
    await appendOne(pg.store, ...makeEvents(2, 'fast-'));
    assert.deepEqual(await pg.positions(), []);
    await open.rollBack();
    assert.deepEqual(await pg.positions(), [4, 5]);
  },
);

test('a long transaction that appends nothing holds nobody back', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await pg.sql.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await pg.sql.query('CREATE TABLE other (); SELECT count(*) FROM sekali.events');
  await appendOne(pg.store, ...makeEvents(2));
  assert.deepEqual(await pg.positions(), [1, 2]);
  await pg.sql.query('ROLLBACK');
});

test('a server that has crashed and gone back is believed', services.options, async () => {
  await using server = await PostgresServer.start();
  await using pg = await PostgresFixture.open(await server.createDatabase());
  await appendOne(pg.store, ...makeEvents(5));
  await pg.sql.query("SELECT setval('sekali.positions', 99)");
  assert.equal(await pg.reader.lastPosition(), 99);
  // As if these had been given, and lost again by the crash of a process, which the postmaster outlives.
  const { rows } = await pg.sql.query(
    `SELECT setval('sekali.positions', 7), pg_backend_pid() AS mine, pid AS readers
       FROM pg_stat_activity WHERE application_name = 'sekali reader'`,
  );
  assert.equal(await pg.reader.lastPosition(), 99);
  process.kill(rows[0].mine, 'SIGKILL');
  await until('the others have ended too', async () => !isRunning(rows[0].readers));
  const last = await until('the server is back', () => pg.reader.lastPosition().catch(() => undefined));
  assert.equal(last, 7);
});

test('who holds readers back is told after a second', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(2));
  assert.equal(await pg.reader.stall(), undefined);
  const open = await pg.beginAppend(1, 'slow-');
  const stall = await until('the stall is told', () => pg.reader.stall());
  assert.equal(stall.position, 2);
  assert.ok(stall.seconds >= 1);
  assert.match(stall.by, /^sekali, process \d+ of PostgreSQL \(idle in transaction\)$/);
  await open.commit();
  assert.equal(await pg.reader.stall(), undefined);
});

test('a reader beside five writers never misses an event', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 500);
  let isDone = false;
  const writing = Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map(async (name) => {
      const store = await PostgresStore.open({ databaseUrl: pg.databaseUrl, partitionPositions: 500 });
      for (let i = 0; i < 40; i++) await appendOne(store, ...makeEvents(1 + ((i * 7) % 23), `${name}-${i}-`));
      await store.close();
    }),
  ).finally(() => {
    isDone = true;
  });
  const seen: number[] = [];
  for (let wasDone = false; !wasDone; ) {
    wasDone = isDone;
    for (let hasMore = true; hasMore; ) {
      const page = await pg.reader.events({ order: 'asc', offset: 0, limit: 100, after: seen.at(-1) });
      seen.push(...page.events.map(({ position }) => position));
      hasMore = page.next !== undefined;
    }
  }
  await writing;
  const { rows } = await pg.sql.query('SELECT position::int FROM sekali.events ORDER BY position');
  assert.deepEqual(
    seen,
    rows.map(({ position }) => Number(position)),
  );
  assert.equal(seen.length, (await pg.reader.counters()).unique_processed);
});

test('a dump that is restored elsewhere keeps every cursor', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(5));
  const dump = execFileSync('pg_dump', ['--schema=sekali', '--no-owner', pg.databaseUrl], {
    encoding: 'utf8',
  });
  const restoredUrl = await services.postgres();
  execFileSync('psql', ['--quiet', '-v', 'ON_ERROR_STOP=1', restoredUrl], { input: dump, stdio: 'pipe' });

  const store = await PostgresStore.open({ databaseUrl: restoredUrl });
  await appendOne(store, ...makeEvents(2, 'after-'));
  const reader = PostgresReader.open({ databaseUrl: restoredUrl });
  const { events } = await reader.events({ order: 'asc', offset: 0, limit: 10, after: 3 });
  assert.deepEqual(
    events.map(({ position }) => position),
    [4, 5, 6, 7],
  );
  await reader.close();
  await store.close();
});
