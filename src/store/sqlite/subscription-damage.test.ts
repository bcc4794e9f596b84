import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { appendOne } from '../../../test/contract/store/case.ts';
import { DEFINITION, lease, leaseOf, refsOf, rowsOf } from '../../../test/contract/subscriptions/case.ts';
import { makeEvents } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { SqliteStore } from './sqlite-store.ts';
import { SqliteSubscriptions } from './sqlite-subscriptions.ts';
import { type Fault, verifyStore } from './verify/verify-store.ts';

async function makeData(t: TestContext): Promise<{ dataDir: string; path: string }> {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  await appendOne(store, ...makeEvents(10));
  await store.close();
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await subscriptions.put('billing', DEFINITION, 0);
  await lease(subscriptions, 'billing', rowsOf(1, 2, 3));
  await subscriptions.ack('billing', refsOf(leaseOf(1), 2));
  await subscriptions.close();
  return { dataDir, path: join(dataDir, 'subscriptions.db') };
}

function faultsOf(dataDir: string): Fault[] {
  const faults: Fault[] = [];
  verifyStore({ dataDir, onFault: (fault) => faults.push(fault) });
  return faults;
}

test('verify finds nothing wrong with subscriptions that are sound, also while they are written to', async (t) => {
  const { dataDir } = await makeData(t);
  assert.deepEqual(faultsOf(dataDir), []);
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await lease(subscriptions, 'billing', rowsOf(4), { as: leaseOf(2) });
  assert.deepEqual(faultsOf(dataDir), []);
  await subscriptions.close();
});

test('verify finds counts that are not those of the rows', async (t) => {
  const { dataDir, path } = await makeData(t);
  const db = new DatabaseSync(path);
  db.exec('UPDATE subscriptions SET leased = leased + 1');
  db.close();
  const [fault, ...others] = faultsOf(dataDir);
  assert.equal(others.length, 0);
  assert.match(JSON.stringify(fault), /subscriptions\.db.*billing.*as many rows as it counts/);
});

test('a file that is no database is told by verify, and refused', async (t) => {
  const { dataDir, path } = await makeData(t);
  writeFileSync(path, Buffer.alloc(8192, 'x'));
  assert.match(JSON.stringify(faultsOf(dataDir)), /subscriptions\.db.*events stay/);
  assert.throws(() => SqliteSubscriptions.open({ dataDir }), { code: 'store_damaged' });
});

test('events that are lost are not taken for none when subscriptions are there', async (t) => {
  const { dataDir } = await makeData(t);
  for (const name of ['sekali.db', 'sekali.db-wal', 'sekali.db-shm']) {
    if (existsSync(join(dataDir, name))) rmSync(join(dataDir, name));
  }
  assert.throws(() => SqliteStore.open({ dataDir }), { code: 'store_damaged' });
});

test('a commit that fails takes all of its calls along; then the file is opened again, and all is as before', async (t) => {
  const { dataDir, path } = await makeData(t);
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  const other = new DatabaseSync(path);
  other.exec(
    "CREATE TRIGGER doomed BEFORE DELETE ON outstanding BEGIN SELECT RAISE(ROLLBACK, 'doomed'); END",
  );
  const calls = [
    subscriptions.put('new', DEFINITION, 0),
    subscriptions.ack('billing', refsOf(leaseOf(1), 1)),
    subscriptions.extend('billing', refsOf(leaseOf(1), 3), 1000),
  ];
  for (const call of calls) await assert.rejects(call, { code: 'store_unavailable' });
  other.exec('DROP TRIGGER doomed');
  other.close();
  assert.equal(await subscriptions.get('new'), undefined);
  assert.deepEqual(await subscriptions.ack('billing', refsOf(leaseOf(1), 1, 3)), ['done', 'done']);
  await subscriptions.close();
});
