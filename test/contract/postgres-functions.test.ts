/** The functions of the database are those of the program that last migrated it, and read no more than they have to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrateDatabase, SCHEMA_VERSION } from '../../src/store/postgres/migrate.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne, verdictsOf } from './store/case.ts';

const services = useServices('postgres');
const { options } = services;

test('a start mends functions that are not as the program has them', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  const good = await definitions(pg);
  for (const tamper of [
    'ALTER FUNCTION sekali.append_1 RESET ALL',
    "DO $$ BEGIN EXECUTE replace(pg_get_functiondef('sekali.append_1'::regproc), 'v_now, e.sequence', 'v_now, 7'); END $$",
    'DROP FUNCTION sekali.dead_letter_1',
    'CREATE OR REPLACE VIEW sekali.held_positions_1 AS SELECT 7::bigint AS below, 7 AS pid',
    "COMMENT ON TABLE sekali.schema IS 'functions 0 0'",
  ]) {
    await pg.sql.query(tamper);
    await start(pg, false);
    if (!tamper.startsWith('COMMENT')) assert.notEqual(await definitions(pg), good, tamper);
    await start(pg, true);
    assert.equal(await definitions(pg), good, tamper);
    // A store that was open all along goes on.
    assert.deepEqual(await verdictsOf(pg.store, makeEvent({ event_id: tamper })), ['stored']);
  }
});

test('a start at which nothing has changed writes nothing', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  const rows = () =>
    query(
      pg,
      `SELECT string_agg(xmin::text, ' ' ORDER BY oid) FROM pg_proc WHERE pronamespace = 'sekali'::regnamespace
       UNION ALL SELECT xmin::text FROM pg_description WHERE objoid = 'sekali.schema'::regclass`,
    );
  const before = await rows();
  await Promise.all([start(pg, true), start(pg, true), migrateDatabase(pg.databaseUrl)]);
  assert.equal(await rows(), before);
});

test('an older program leaves the functions of a newer schema alone', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await pg.sql.query(`UPDATE sekali.schema SET version = ${SCHEMA_VERSION + 1}`);
  await pg.sql.query('ALTER FUNCTION sekali.append_1 SET work_mem = 8192');
  const newer = await definitions(pg);
  await start(pg, true);
  assert.equal(await definitions(pg), newer);
});

test('keys are looked up and never scanned, on a database that grows from nothing', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  // Statistics would have the plans made anew.
  await pg.sql.query('ALTER TABLE sekali.keys SET (autovacuum_enabled = off)');
  const store = await PostgresStore.open(pg);
  // From the sixth on the plans are kept.
  for (let i = 0; i < 8; i++) await appendOne(store, makeEvent({ event_id: `single-${i}` }));
  for (let i = 0; i < 3; i++) await appendOne(store, ...makeEvents(2000, `${i}-`));
  await appendOne(store, ...makeEvents(2000, '1-'), ...makeEvents(2000, '3-'));
  // With the connection its statistics are told.
  await store.close();
  await until('the statistics', async () => (await statistic(pg, 'n_tup_ins')) >= 8008);
  assert.equal(await statistic(pg, 'seq_tup_read'), 0);
});

async function start({ databaseUrl }: PostgresFixture, migrate: boolean): Promise<void> {
  const store = await PostgresStore.open({ databaseUrl, migrate });
  await store.close();
}

async function query({ sql }: PostgresFixture, text: string): Promise<string> {
  const { rows } = await sql.query({ text, rowMode: 'array' });
  return rows.join('\n');
}

function definitions(pg: PostgresFixture): Promise<string> {
  return query(
    pg,
    `SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'sekali'::regnamespace
     UNION ALL SELECT pg_get_viewdef('sekali.held_positions_1'::regclass) ORDER BY 1`,
  );
}

async function statistic(pg: PostgresFixture, name: string): Promise<number> {
  return Number(
    await query(pg, `SELECT ${name} FROM pg_stat_user_tables WHERE relid = 'sekali.keys'::regclass`),
  );
}
