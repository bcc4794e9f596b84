import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendOne, EVERYTHING, verdictsOf } from '../../../test/contract/store/case.ts';
import { makeEvent, makeEvents } from '../../../test/support/make-events.ts';
import { SqliteHarness } from '../../../test/support/sqlite-harness.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { openWriter } from './connection.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts';

test('the connection that writes is in WAL mode and syncs every commit', (t) => {
  const db = openWriter(tempDir(t));
  t.after(() => db.close());
  assert.equal(db.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  assert.equal(db.prepare('PRAGMA synchronous').get()?.['synchronous'], 2); // 2 is FULL
});

test('migrations run once, whoever comes first', (t) => {
  const dir = tempDir(t);
  const [first, second] = [openWriter(dir), openWriter(dir)];
  t.after(() => [first, second].forEach((db) => db.close()));
  migrate(first);
  const secret = () => first.prepare("SELECT hex(value) AS secret FROM meta WHERE name = 'key_secret'").get();
  const before = secret();
  migrate(second);
  assert.equal(schemaVersion(second), SCHEMA_VERSION);
  assert.deepEqual(secret(), before);
});

test('a filter without an index finds what lies many windows apart, in both orders', async () => {
  await using harness = new SqliteHarness();
  const store = await harness.open();
  await appendOne(store, makeEvent({ source: 'rare' }));
  for (let i = 0; i < 5; i++) await appendOne(store, ...makeEvents(10_000, `${i}-`));
  await appendOne(store, makeEvent({ event_id: 'last', source: 'rare' }));
  const positions = async (order: 'asc' | 'desc') =>
    (await store.events({ ...EVERYTHING, order, source: 'rare' })).events.map((event) => event.position);
  assert.deepEqual(await positions('asc'), [1, 50_002]);
  assert.deepEqual(await positions('desc'), [50_002, 1]);
  assert.equal(
    (await store.events({ ...EVERYTHING, source: 'rare', offset: 1, limit: 1 })).events[0]?.position,
    50_002,
  );
});

test('a clock that jumps, back or far ahead, changes no verdict and no order', async () => {
  let nowMs = Date.parse('2026-01-31T12:00:00Z');
  await using harness = new SqliteHarness(() => ({ clock: { nowMs: () => nowMs } }));
  const store = await harness.open();
  const jumps = [
    '2026-01-31T12:00:00Z',
    '1999-01-01T00:00:00Z',
    '9998-01-01T00:00:00Z',
    '1970-01-01T00:00:00Z',
  ];
  for (const [i, jump] of jumps.entries()) {
    nowMs = Date.parse(jump);
    assert.deepEqual(await verdictsOf(store, makeEvent({ event_id: String(i) })), ['stored']);
    assert.deepEqual(
      await verdictsOf(store, ...jumps.slice(0, i + 1).map((_, j) => makeEvent({ event_id: String(j) }))),
      jumps.slice(0, i + 1).map(() => 'duplicate'),
    );
  }
  const { events } = await store.events(EVERYTHING);
  assert.deepEqual(
    events.map((event) => event.event_id),
    ['0', '1', '2', '3'],
  );
});

test('more topics than are remembered are still told apart and counted', async () => {
  await using harness = new SqliteHarness();
  const store = await harness.open();
  const topics = Array.from({ length: 10_500 }, (_, i) => `topic-${i}`);
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < topics.length; at += 3500) {
      const events = topics
        .slice(at, at + 3500)
        .map((topic) => makeEvent({ topic, event_id: String(round) }));
      await appendOne(store, ...events);
    }
  }
  const found = await store.topics({ after: undefined, limit: 20_000 });
  assert.equal(found.length, topics.length);
  assert.ok(found.every((topic) => topic.events === 2));
});
