/** Which failures count against an entry of the queue, and which are an outage. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { SekaliError } from '../../src/errors.ts';
import { connect } from '../../src/store/postgres/connection.ts';
import type { Consumed } from '../../src/store/store.ts';
import { makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { toGroup } from './store/case.ts';

const services = useServices('postgres');
const { options } = services;
const epoch = randomUUID();

/** Consumes entries of one event each. */
function consume({ store }: PostgresFixture, ...ids: number[]): Promise<Consumed> {
  const events = ids.flatMap((id) => makeEvents(1, `${id}-`));
  return store.consume(toGroup(store, { events }), { epoch, ids: ids.map((id) => Buffer.alloc(16, id)) });
}

async function failure(work: Promise<unknown>): Promise<[code: string, sqlState: unknown]> {
  const error = (await work.then(
    () => assert.fail('it is taken'),
    (rejection: unknown) => rejection,
  )) as SekaliError;
  return [error.code, (error.cause as { code?: unknown }).code];
}

async function writerPids({ sql }: PostgresFixture): Promise<string> {
  const { rows } = await sql.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'sekali' AND datname = current_database() ORDER BY 1`,
  );
  return rows.map(({ pid }) => pid).join(' ');
}

test(
  'a bundle that is more than the server can do in the time of a statement is refused, and its entries pass one by one',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    // The new topic of the first group changes the time that the session has for a statement.
    await pg.sql.query(`
      CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM set_config('statement_timeout', '2s', false); RETURN NULL; END $$;
      CREATE TRIGGER shorten AFTER INSERT ON sekali.topics EXECUTE FUNCTION shorten();
      CREATE FUNCTION weigh() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF (SELECT count(*) FROM brought) > 1 THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$;
      CREATE TRIGGER weigh AFTER INSERT ON sekali.consumed_entries
        REFERENCING NEW TABLE AS brought EXECUTE FUNCTION weigh();`);
    const pids = await writerPids(pg);
    assert.deepEqual(await failure(consume(pg, 1, 2)), ['entry_refused', '57014']);
    assert.deepEqual(await consume(pg, 1), { kind: 'consumed' });
    assert.deepEqual(await consume(pg, 2), { kind: 'consumed' });
    assert.equal(await writerPids(pg), pids, 'on the connection that it had');
    const { received, unique_processed, consumed } = await pg.store.counters();
    assert.deepEqual([received, unique_processed, consumed[epoch]], [2, 2, 2]);
  },
);

for (const [state, code] of [
  ['53200', 'entry_refused'],
  ['54000', 'entry_refused'],
  ['22021', 'entry_refused'],
  ['53100', 'store_unavailable'],
  ['40001', 'store_unavailable'],
  ['XX000', 'store_unavailable'],
] as const) {
  test(`to consume what ends with SQLSTATE ${state} is ${code}`, options, async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await pg.sql.query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$;
      CREATE TRIGGER fail AFTER INSERT ON sekali.consumed_entries EXECUTE FUNCTION fail();`);
    assert.deepEqual(await failure(consume(pg, 1, 2)), [code, state]);
    await pg.sql.query('DROP TRIGGER fail ON sekali.consumed_entries');
    assert.deepEqual(await consume(pg, 1, 2), { kind: 'consumed' });
  });
}

test('to wait in vain for a lock is an outage, and counts against no entry', options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  const vacuum = await connect(pg.databaseUrl);
  await vacuum.query('BEGIN; LOCK TABLE sekali.keys IN ACCESS EXCLUSIVE MODE');
  await pg.sql.query("ALTER FUNCTION sekali.append_1 SET lock_timeout = '100ms'");
  assert.deepEqual(await failure(consume(pg, 1, 2)), ['store_unavailable', '55P03']);
  await vacuum.query('ROLLBACK');
  assert.deepEqual(await consume(pg, 1, 2), { kind: 'consumed' });
  await vacuum.end();
});

test(
  'a dead letter that the database does not take is refused, and the next one is taken',
  options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    const letter = {
      epoch,
      id: Buffer.alloc(16, 1),
      events: 1,
      reason: 'r',
      attempts: 5,
      body: Buffer.from('x'),
    };
    const pids = await writerPids(pg);
    assert.deepEqual(await failure(pg.store.deadLetter({ ...letter, events: 2 ** 31 })), [
      'entry_refused',
      '22003',
    ]);
    await pg.sql.query('ALTER TABLE sekali.dead_letters ADD CONSTRAINT short CHECK (length(reason) < 5)');
    assert.deepEqual(await failure(pg.store.deadLetter({ ...letter, reason: 'longer' })), [
      'entry_refused',
      '23514',
    ]);
    assert.deepEqual(await pg.store.deadLetter(letter), { kind: 'consumed' });
    assert.equal(await writerPids(pg), pids, 'on the connection that it had');
    assert.equal((await pg.store.counters()).dead_lettered, 1);
  },
);
