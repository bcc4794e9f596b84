/** How a store in PostgreSQL is exported and imported, beyond what the journeys show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/store/postgres/connection.ts';
import { exportDeadLetters } from '../../src/store/postgres/export-rest.ts';
import { exportPostgres } from '../../src/store/postgres/export-store.ts';
import { PostgresImport } from '../../src/store/postgres/import-store.ts';
import { RowBuffer } from '../../src/store/postgres/import-tables.ts';
import { LongTransaction } from '../../src/store/postgres/long-transaction.ts';
import { ensurePartitions } from '../../src/store/postgres/partitions.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { TransferCounts } from '../../src/transfer/records.ts';
import { TransferReader } from '../../src/transfer/transfer-reader.ts';
import { TransferWriter } from '../../src/transfer/transfer-writer.ts';
import { makeEvents } from '../support/make-events.ts';
import { PostgresFixture } from '../support/postgres-fixture.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { appendOne } from './store/case.ts';

const services = useServices('postgres');

async function exported(
  databaseUrl: string,
  onDrain: () => Promise<void> = async () => {},
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const writer = new TransferWriter(async (chunk) => void chunks.push(chunk));
  const drain = writer.drain.bind(writer);
  writer.drain = async () => {
    await onDrain();
    await drain();
  };
  await exportPostgres(databaseUrl, writer);
  return chunks;
}

async function imported(databaseUrl: string, chunks: readonly Uint8Array[]): Promise<TransferCounts> {
  const target = await PostgresImport.open(databaseUrl);
  async function* all() {
    yield* chunks;
  }
  try {
    return await new TransferReader('a file', target).read(all());
  } finally {
    await target.close();
  }
}

test(
  'a partition that is to be dropped while the store is exported waits for it',
  services.options,
  async () => {
    await using pg = await PostgresFixture.open(await services.postgres(), 10);
    await appendOne(pg.store, ...makeEvents(25));
    let dropped: Promise<void> | undefined;
    const chunks = await exported(pg.databaseUrl, async () => {
      dropped ??= pg.housekeeping([['*', { count: 1 }]], 10).runOnce();
      await dropped.catch(() => {});
    });
    await assert.rejects(dropped!, /lock timeout/);
    assert.equal((await imported(await services.postgres(), chunks)).events, 25);
    await pg.housekeeping([['*', { count: 1 }]], 10).runOnce();
    assert.equal((await pg.tables())[0], 'events_p21');
  },
);

test('dead letters of many megabytes are read and written some at a time', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await pg.sql.query(`
    INSERT INTO sekali.dead_letters (entry, events, reason, attempts, body)
      SELECT gen_random_uuid(), 1, 'r' || n, n, decode(repeat(md5(n::text), CASE n % 5 WHEN 0 THEN 320000 ELSE n END), 'hex')
        FROM generate_series(1, 40) AS n`);
  const session = await LongTransaction.open(pg.databaseUrl, 'BEGIN');
  const pages: number[] = [];
  const query = session.query.bind(session);
  session.query = async (asked) => {
    const answer = await query(asked);
    pages.push(answer.rows.reduce((sum, { body }) => sum + String(body).length, 0));
    return answer;
  };
  const writer = new TransferWriter(async () => {});
  await exportDeadLetters(session, writer);
  await session.close();
  assert.equal(writer.counts.dead_letters, 40);
  assert.ok(pages.length > 4 && pages.every((length) => length < 20_000_000), pages.join());

  const target = await services.postgres();
  assert.equal((await imported(target, await exported(pg.databaseUrl))).dead_letters, 40);
  const sums = 'SELECT entry, attempts, reason, md5(body) FROM sekali.dead_letters ORDER BY number';
  const client = await connect(target);
  assert.deepEqual((await client.query(sums)).rows, (await pg.sql.query(sums)).rows);
  await client.end();
});

test('rows are sent when they are many, or large', () => {
  const rows = new RowBuffer<number>({
    insert: (some, before) => ({ text: `${some.length} after ${before}` }),
    bytesOf: (row) => row,
  });
  const sent = (count: number, bytes: number): (string | undefined)[] => {
    const texts: (string | undefined)[] = [];
    for (let n = 0; n < count; n++) {
      rows.add(bytes);
      texts.push(rows.whenFull()?.text);
    }
    return texts.filter((text) => text !== undefined);
  };
  assert.deepEqual(sent(2001, 1), ['1000 after 0', '1000 after 1000']);
  assert.deepEqual(sent(5, 3_000_000), ['4 after 2000']);
  assert.deepEqual(rows.rest()?.text, '2 after 2004');
});

test('an import whose statistics cannot be gathered has been done', services.options, async () => {
  await using pg = await PostgresFixture.open(await services.postgres());
  await appendOne(pg.store, ...makeEvents(5));
  const chunks = await exported(pg.databaseUrl);
  const target = await services.postgres();
  await (await PostgresStore.open({ databaseUrl: target })).close();
  const other = await connect(target);
  await ensurePartitions(other, { room: 1000 });
  await other.query(
    "SET application_name = 'vacuum'; BEGIN; LOCK TABLE sekali.events IN SHARE UPDATE EXCLUSIVE MODE",
  );
  const importing = imported(target, chunks);
  await until('the statistics wait', async () => {
    const { rows } = await pg.sql.query(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE datname = '${new URL(target).pathname.slice(1)}' AND query LIKE 'ANALYZE%' AND wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });
  assert.equal((await importing).events, 5);
  await other.end();
});
