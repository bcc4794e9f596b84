import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { appendOne } from '../../../test/contract/store/case.ts';
import { DEFINITION, lease, leaseOf, refsOf, rowsOf } from '../../../test/contract/subscriptions/case.ts';
import { makeEvents } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { until } from '../../../test/support/until.ts';
import { orderRules } from '../../topic-rules.ts';
import { TransferWriter } from '../../transfer/transfer-writer.ts';
import { exportSqlite } from './export-store.ts';
import { SqliteStore } from './sqlite-store.ts';
import { SqliteSubscriptions } from './sqlite-subscriptions.ts';

/** A store with several generations, a part of its keys in the log, and retired events in both. */
async function makeStore(t: TestContext, { isWindowed }: { isWindowed: boolean }): Promise<string> {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({
    dataDir,
    hotKeys: 100,
    mergeFanIn: 3,
    retention: orderRules([
      { topic: 'topic-1', isPrefix: false, limits: { ageS: undefined, bytes: undefined, count: 7 } },
    ]),
    dedupWindow: isWindowed
      ? orderRules([{ topic: 'topic-2', isPrefix: false, limits: { windowS: 3600 } }])
      : [],
  });
  for (let group = 0; group < 9; group++) {
    await appendOne(store, ...makeEvents(60, `group-${group}-`, { topic: `topic-${group % 3}` }));
    await store.settled();
  }
  const retired = async () => (await store.topics({ after: undefined, limit: 3 }))[1]?.retired;
  await until('events are retired', async () => (await retired()) === 173);
  await store.close();
  return dataDir;
}

async function linesOf(
  dataDir: string,
  span?: number,
  onDrain: () => Promise<void> = async () => {},
): Promise<Record<string, unknown>[]> {
  let text = '';
  const writer = new TransferWriter(async (chunk) => {
    text += Buffer.from(chunk).toString();
  });
  const drain = writer.drain.bind(writer);
  writer.drain = async () => {
    await onDrain();
    await drain();
  };
  await exportSqlite({ dataDir, writer, span });
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function ofKind(lines: Record<string, unknown>[], kind: string): Record<string, unknown>[] {
  return lines
    .filter((line) => line['kind'] === kind)
    .sort((a, b) => (a['position'] as number) - (b['position'] as number));
}

for (const isWindowed of [false, true]) {
  test(`whatever span is in memory at once, ${isWindowed ? 'with' : 'without'} dedup windows: each position once, as event or as key`, async (t) => {
    const dataDir = await makeStore(t, { isWindowed });
    const whole = await linesOf(dataDir);
    const positions = [...ofKind(whole, 'event'), ...ofKind(whole, 'key')].map((line) => line['position']);
    assert.equal(positions.length, 540);
    assert.equal(new Set(positions).size, 540);
    assert.equal(ofKind(whole, 'key').length, 173);
    const expiring = whole.filter((line) => line['expires_at'] !== undefined);
    assert.equal(expiring.length, isWindowed ? 180 : 0);
    assert.ok(expiring.every((line) => line['topic'] === 'topic-2'));
    for (const span of [1, 7, 64, 540]) {
      const lines = await linesOf(dataDir, span);
      for (const kind of ['topic', 'event', 'key'])
        assert.deepEqual(ofKind(lines, kind), ofKind(whole, kind));
    }
  });
}

test('a generation that is lost, or of which a bit has turned, is told by its name', async (t) => {
  const dataDir = await makeStore(t, { isWindowed: false });
  const [name = ''] = readdirSync(join(dataDir, 'keys'));
  const path = join(dataDir, 'keys', name);
  const bytes = readFileSync(path);
  bytes[5000]! ^= 4;
  writeFileSync(path, bytes);
  const isTold = { code: 'store_damaged', message: new RegExp(`keys/${name}.*sekali verify`) };
  await assert.rejects(linesOf(dataDir), isTold);
  rmSync(path);
  await assert.rejects(linesOf(dataDir), isTold);
});

test('subscriptions are those from before the export began, whatever is handed out and acknowledged meanwhile', async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await appendOne(store, ...makeEvents(3));
  await subscriptions.put('billing', DEFINITION, 0);
  await lease(subscriptions, 'billing', rowsOf(1, 3));
  let meanwhile: Promise<void> | undefined;
  const lines = await linesOf(dataDir, undefined, async () => {
    meanwhile ??= (async () => {
      await appendOne(store, ...makeEvents(3, 'more-'));
      await lease(subscriptions, 'billing', rowsOf(4, 5, 6), { as: leaseOf(2) });
      await subscriptions.ack('billing', refsOf(leaseOf(1), 1, 3));
    })();
    await meanwhile;
  });
  assert.deepEqual(
    [
      lines[0]?.['last_position'],
      ofKind(lines, 'event').length,
      ofKind(lines, 'subscription')[0]?.['cursor'],
    ],
    [3, 3, 3],
  );
  assert.deepEqual(
    ofKind(lines, 'delivery').map(({ position, attempts }) => [position, attempts]),
    [
      [1, 1],
      [3, 1],
    ],
  );
  await subscriptions.close();
  await store.close();
});

test('a subscription that is beyond the events, as one beside an older copy of them, is exported up to them', async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  const subscriptions = SqliteSubscriptions.open({ dataDir });
  await appendOne(store, ...makeEvents(3));
  await subscriptions.put('billing', DEFINITION, 0);
  await lease(subscriptions, 'billing', rowsOf(2, 5));
  const lines = await linesOf(dataDir);
  assert.equal(ofKind(lines, 'subscription')[0]?.['cursor'], 3);
  assert.deepEqual(
    ofKind(lines, 'delivery').map(({ position }) => position),
    [2],
  );
  await subscriptions.close();
  await store.close();
});
