import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SqliteSubscriptions } from '../../src/store/sqlite/sqlite-subscriptions.ts';
import { tempDir } from '../support/temp-dir.ts';
import {
  countsOf,
  DEFINITION,
  deadOf,
  dueNow,
  kill,
  lease,
  leaseOf,
  refsOf,
  rowsOf,
  type SubscriptionHarness,
} from './subscriptions/case.ts';
import { testSubscriptions } from './subscriptions-contract.ts';

async function makeHarness(): Promise<SubscriptionHarness & AsyncDisposable> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sekali-subscriptions-'));
  let open = SqliteSubscriptions.open({ dataDir });
  return {
    store: open,
    other: open, // the file belongs to one process, and in it to one thread
    reopen: async () => {
      await open.close();
      open = SqliteSubscriptions.open({ dataDir });
      return open;
    },
    [Symbol.asyncDispose]: async () => {
      await open.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

testSubscriptions('SQLite', makeHarness);

test('calls that come together are one commit, and one that fails takes no other along', async (t) => {
  const store = SqliteSubscriptions.open({ dataDir: tempDir(t) });
  await store.put('a', DEFINITION, 0);
  await lease(store, 'a', rowsOf(1, 2, 3));
  const mistake = new Error('of the caller');
  const results = await Promise.allSettled([
    store.ack('a', refsOf(leaseOf(1), 1)),
    store.nack('a', refsOf(leaseOf(1), 2), () => {
      throw mistake;
    }),
    store.put('b', DEFINITION, 7),
    store.ack('a', refsOf(leaseOf(1), 3)),
  ]);
  const put = await store.get('b');
  assert.deepEqual(results, [
    { status: 'fulfilled', value: ['done'] },
    { status: 'rejected', reason: mistake },
    { status: 'fulfilled', value: { ...put, created: true } },
    { status: 'fulfilled', value: ['done'] },
  ]);
  assert.equal((await countsOf(store, 'a')).oldestOutstanding, 2);
  assert.equal((await store.get('b'))?.cursor, 7);
  await store.close();
});

test('what a hand-out has found due is settled by nobody, also when the clock is set back meanwhile', async (t) => {
  let nowMs = 1_000_000;
  const store = SqliteSubscriptions.open({ dataDir: tempDir(t), clock: { nowMs: () => nowMs } });
  await store.put('a', DEFINITION, 0);
  await lease(store, 'a', rowsOf(1), { forMs: 1000 });
  nowMs += 1000;
  await store.handOut('a', async (hand) => {
    assert.equal((await hand.due(10)).length, 1);
    nowMs -= 10_000;
    assert.deepEqual(await store.ack('a', refsOf(leaseOf(1), 1)), ['lease_expired']);
    await hand.lease([{ ...rowsOf(1)[0]!, attempts: 2 }], leaseOf(2), 1000);
    return {};
  });
  assert.deepEqual(await store.ack('a', refsOf(leaseOf(1), 1)), ['lease_stale']);
  assert.deepEqual(await store.ack('a', refsOf(leaseOf(2), 1)), ['done']);
  await store.close();
});

test('subscriptions beyond the events are pulled back to them, with all that they had there', async (t) => {
  const store = SqliteSubscriptions.open({ dataDir: tempDir(t) });
  await store.put('ahead', DEFINITION, 0);
  await store.put('behind', DEFINITION, 0);
  await kill(store, 'ahead', rowsOf(4, 12));
  await lease(store, 'ahead', rowsOf(5, 11));
  await lease(store, 'behind', rowsOf(5, 10));
  assert.deepEqual(await store.pullBack(10), [{ name: 'ahead', from: 12, to: 10 }]);
  assert.deepEqual(await countsOf(store, 'ahead'), {
    cursor: 10,
    leased: 1,
    waiting: 0,
    dead: 1,
    oldestOutstanding: 5,
  });
  assert.deepEqual(
    (await deadOf(store, 'ahead')).map(({ position }) => position),
    [4],
  );
  assert.deepEqual((await countsOf(store, 'behind')).leased, 2);
  assert.deepEqual(await store.pullBack(10), []);
  assert.deepEqual(await dueNow(store, 'ahead'), []);
  await store.close();
});

test('ordered or not, as the definition says by now, also for what was outstanding before', async (t) => {
  const store = SqliteSubscriptions.open({ dataDir: tempDir(t) });
  await store.put('a', DEFINITION, 0);
  const rows = [1, 2, 3, 4].map((position) => ({ position, topic: `t.${position % 2}`, attempts: 1 }));
  await lease(store, 'a', rows);
  await store.nack('a', refsOf(leaseOf(1), 1, 2, 3, 4), () => ({
    kind: 'wait',
    delayMs: 0,
    reason: undefined,
  }));
  const due = async () => (await dueNow(store, 'a')).map(({ position }) => position);
  assert.deepEqual(await due(), [1, 2, 3, 4]);
  await store.put('a', { ...DEFINITION, ordered: true }, 0);
  assert.deepEqual(await due(), [1, 2]);
  await store.put('a', DEFINITION, 0);
  assert.deepEqual(await due(), [1, 2, 3, 4]);

  // While a hand-out is under way, which is by the one before.
  const put: Promise<unknown>[] = [];
  await store.handOut('a', async (hand) => {
    put.push(store.put('a', { ...DEFINITION, ordered: true }, 0));
    await hand.hold([5, 6].map((position) => ({ position, topic: 't.5' })));
    return {};
  });
  await Promise.all(put);
  assert.deepEqual(await due(), [1, 2, 5]);
  await store.close();
});
