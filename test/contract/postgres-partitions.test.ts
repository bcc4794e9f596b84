/** Partitions are there before they are needed, whoever makes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/store/postgres/connection.ts';
import { listPartitions } from '../../src/store/postgres/partition-list.ts';
import { ensurePartitions } from '../../src/store/postgres/partitions.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres');

async function bounds(pg: PostgresFixture): Promise<number[][]> {
  return (await listPartitions(pg.sql)).map(({ first, end }) => [first, end]);
}

test('many at once make each partition once, and keep a spare one', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 100);
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(pg.databaseUrl)));
  await pg.sql.query(`SELECT setval('sekali.positions', 1234)`);
  await Promise.all(clients.map((client) => ensurePartitions(client, { partitionPositions: 100 })));
  const starts = (await bounds(pg)).map(([first]) => first);
  assert.deepEqual(
    starts,
    Array.from({ length: 14 }, (_, n) => 100 * n + 1),
  );
  await Promise.all(clients.map((client) => client.end()));
});

test('another size holds for the partitions that come', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 10);
  await ensurePartitions(pg.sql, { partitionPositions: 1000 });
  assert.deepEqual((await bounds(pg)).slice(-2), [
    [101, 111],
    [111, 1111],
  ]);
});

test('a partition is made beside an append that has not ended', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres(), 100);
  const open = await pg.beginAppend(3, 'open-');
  await ensurePartitions(pg.sql, { partitionPositions: 5000 });
  await appendOne(pg.store, ...makeEvents(1));
  assert.deepEqual((await bounds(pg)).at(-1), [1101, 6101]);
  await open.commit();
});

test(
  'appends that run out of partitions go on, also when a group is larger than one',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    const other = await PostgresStore.open({ databaseUrl: pg.databaseUrl, partitionPositions: 10 });
    await Promise.all([
      appendOne(pg.store, ...makeEvents(250, 'a-')),
      appendOne(other, ...makeEvents(250, 'b-')),
    ]);
    assert.equal((await pg.positions()).length, 500);
    await other.close();
  },
);
