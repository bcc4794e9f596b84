/** What the PostgreSQL reader promises beyond the contract of every store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { SekaliError } from '../../src/errors.ts';
import { formatInstant, parseInstant } from '../../src/instant.ts';
import { connect } from '../../src/store/postgres/connection.ts';
import { PostgresReader } from '../../src/store/postgres/postgres-reader.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { readEvents } from '../../src/store/postgres/read-events.ts';
import { makeReadPool, type Read } from '../../src/store/postgres/read-pool.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { freePort } from '../support/services/free-port.ts';
import { PostgresServer } from '../support/services/postgres-server.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne, EVERYTHING } from './store/case.ts';

const services = useServices('postgres', 'postgres-server');

test(
  'a page ends when its payloads are long enough, and the next one goes on',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    for (let n = 0; n < 11; n++) {
      await appendOne(pg.store, makeEvent({ event_id: `${n}`, payload: { pad: 'x'.repeat(1_000_000) } }));
    }
    const first = await pg.reader.events(EVERYTHING);
    assert.deepEqual([first.events.length, first.next], [9, 9]);
    const second = await pg.reader.events({ ...EVERYTHING, after: first.next });
    assert.deepEqual([second.events.length, second.next], [2, undefined]);
    const descending = await pg.reader.events({ ...EVERYTHING, order: 'desc' });
    assert.deepEqual([descending.events.length, descending.next], [9, 3]);
  },
);

test(
  'a topic that has next to nothing is found by its index, and not by looking at all others',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, ...makeEvents(5, 'rare-', { topic: 'rare' }));
    for (let n = 0; n < 3; n++) await appendOne(pg.store, ...makeEvents(1000, `${n}-`));
    await pg.sql.query('ANALYZE sekali.events');
    const pool = makeReadPool({ databaseUrl: pg.databaseUrl, connectionsMax: 1 });
    for (const query of [{ topic: 'rare' }, { topic: 'rare', source: 'none' }]) {
      let plan = '';
      await pool.run(async (read) => {
        const explained: Read = async (text, values) => {
          plan = (await read(`EXPLAIN ${text}`, values)).flat().join('\n');
          return await read(text, values);
        };
        await readEvents(explained, { ...EVERYTHING, ...query }, 3005);
      });
      assert.match(plan, /topic_id_position_idx/);
      assert.doesNotMatch(plan, /using events\S*_pkey/);
    }
    await pool.close();
  },
);

test('instants of the years 0000 and 9999 are filters and come back', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  const timestamps = [
    '0000-02-29T12:30:00.000001Z',
    '0000-12-31T23:59:59.999999Z',
    '9999-12-31T23:59:59.999999Z',
  ];
  await appendOne(pg.store, ...timestamps.map((timestamp) => makeEvent({ event_id: timestamp, timestamp })));
  const { events } = await pg.reader.events(EVERYTHING);
  assert.deepEqual(
    events.map(({ timestamp }) => formatInstant(timestamp)),
    timestamps,
  );
  assert.deepEqual(
    events.map(({ timestamp }) => timestamp),
    timestamps.map(parseInstant),
  );
  assert.deepEqual(await pg.positions({ from: parseInstant(timestamps[1]!) }), [2, 3]);
  assert.deepEqual(await pg.positions({ to: parseInstant(timestamps[1]!) }), [1]);
});

test(
  'a server that is away fails reads, never the process, and is found when it is back',
  services.options,
  async () => {
    await using server = await PostgresServer.start();
    const databaseUrl = await server.createDatabase();
    const store = await PostgresStore.open({ databaseUrl });
    await appendOne(store, makeEvent());
    const reader = PostgresReader.open({ databaseUrl });
    assert.equal(await reader.lastPosition(), 1);
    await server.kill('immediate');
    await assert.rejects(reader.events(EVERYTHING), { code: 'store_unavailable' });
    await assert.rejects(reader.counters(), { code: 'store_unavailable' });
    await server.start();
    const found = await until('the reader reads again', () => reader.eventAt(1).catch(() => undefined));
    assert.equal(found.position, 1);
    await reader.close();
    await store.close();
  },
);

test('a reader opens without a server, and refuses what is too much', services.options, async () => {
  const reader = PostgresReader.open({ databaseUrl: `postgres://nobody@127.0.0.1:${await freePort()}/none` });
  const reads = Array.from({ length: 1001 }, () => reader.counters().catch((error) => error.code as string));
  const codes = await Promise.all(reads);
  assert.equal(codes.at(-1), 'overloaded');
  assert.deepEqual(new Set(codes.slice(0, -1)), new Set(['store_unavailable']));
  await reader.close();
  await assert.rejects(reader.counters(), { code: 'store_unavailable' });
});

test(
  'reads that hold all their connections do not keep the state from being read',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    await appendOne(pg.store, makeEvent());
    const lock = await connect(pg.databaseUrl);
    await lock.query('BEGIN; LOCK TABLE sekali.events IN ACCESS EXCLUSIVE MODE');
    const reads = Array.from({ length: 20 }, () => pg.reader.eventAt(1));
    const waiting = `SELECT count(*)::int AS waiting FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'sekali reader' AND wait_event_type = 'Lock'`;
    await until('all connections wait', async () => (await pg.sql.query(waiting)).rows[0].waiting === 6);

    assert.equal(await pg.reader.lastPosition(), 1);
    assert.equal((await pg.reader.counters()).unique_processed, 1);
    assert.equal(await pg.reader.stall(), undefined);
    const { rows } = await pg.sql.query(
      "SELECT count(*)::int AS all FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sekali reader'",
    );
    assert.ok(rows[0].all <= 8, `${rows[0].all} connections`);
    await lock.end();
    assert.equal((await Promise.all(reads)).length, 20);
  },
);

test('a URL that cannot be parsed is told without it, for it may hold a password', async () => {
  const reader = PostgresReader.open({ databaseUrl: 'postgres://me:se/cret@localhost:port/x' });
  await assert.rejects(reader.lastPosition(), (error: SekaliError) => {
    assert.equal(error.code, 'config_invalid');
    assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /cret/);
    return true;
  });
  await reader.close();
});

test('a database that is not migrated yet is read once it is', services.options, async () => {
  const databaseUrl = await services.postgres();
  const reader = PostgresReader.open({ databaseUrl });
  await assert.rejects(reader.lastPosition(), { code: 'store_unavailable' });
  await (await PostgresStore.open({ databaseUrl })).close();
  assert.equal(await reader.lastPosition(), 0);
  await reader.close();
});

test(
  'texts that PostgreSQL cannot have are found nowhere, and are no failure',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres());
    for (const topic of ['a', 'ab', 'b']) await appendOne(pg.store, makeEvent({ topic }));
    assert.deepEqual(await pg.positions({ topic: 'a\0' }), []);
    assert.deepEqual(await pg.positions({ source: '\0' }), []);
    assert.deepEqual(await pg.reader.conflicts({ topic: 'a', event_id: '\0', limit: 1 }), []);
    const topics = await pg.reader.topics({ after: 'a\0z', limit: 10 });
    assert.deepEqual(
      topics.map(({ topic }) => topic),
      ['ab', 'b'],
    );
  },
);
