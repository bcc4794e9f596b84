import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/store/postgres/connection.ts';
import { STORED_CHANNEL } from '../../src/store/postgres/notifier.ts';
import { Waker } from '../../src/store/postgres/waker.ts';
import { useServices } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const services = useServices('postgres');

/** Longer than any test: only notifications wake. */
const NEVER_MS = 1_000_000;

async function listeners(databaseUrl: string): Promise<number[]> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  await client.end();
  return rows.map(({ pid }) => pid as number);
}

async function listener(databaseUrl: string, except?: number): Promise<number> {
  return await until('somebody listens', async () =>
    (await listeners(databaseUrl)).find((pid) => pid !== except),
  );
}

test('a notification wakes a reader within 50 ms', services.options, async () => {
  const databaseUrl = await services.postgres();
  const waker = new Waker({ databaseUrl, pollMs: NEVER_MS });
  let wake = Promise.withResolvers<void>();
  const stop = waker.onStored(() => wake.resolve());
  await wake.promise; // By the connection.
  const client = await connect(databaseUrl);
  const times: number[] = [];
  for (let n = 0; n < 10; n++) {
    wake = Promise.withResolvers<void>();
    const startedAt = performance.now();
    await client.query(`NOTIFY ${STORED_CHANNEL}`);
    await wake.promise;
    times.push(performance.now() - startedAt);
  }
  assert.ok(Math.min(...times) < 50, `woken after ${times.join(', ')} ms`);
  stop();
  await client.end();
  await waker.close();
});

test('a reader is woken after its connection was cut', services.options, async () => {
  const databaseUrl = await services.postgres();
  const waker = new Waker({ databaseUrl, pollMs: NEVER_MS });
  let woken = 0;
  waker.onStored(() => woken++);
  const pid = await listener(databaseUrl);
  const client = await connect(databaseUrl);
  await client.query(`SELECT pg_terminate_backend(${pid})`);
  await listener(databaseUrl, pid);
  await until('woken by the new connection', async () => woken === 2);
  await client.query(`NOTIFY ${STORED_CHANNEL}`);
  await until('woken by a notification', async () => woken === 3);
  await client.end();
  await waker.close();
  await until('nobody listens', async () => (await listeners(databaseUrl)).length === 0);
});

test(
  'without a server, readers are woken by polling, until they have had enough',
  services.options,
  async () => {
    const waker = new Waker({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', pollMs: 10 });
    const enough = Promise.withResolvers<void>();
    let woken = 0;
    const stop = waker.onStored(() => {
      if (++woken < 5) return;
      stop();
      enough.resolve();
    });
    await enough.promise;
    await waker.close();
    assert.equal(woken, 5);
  },
);
