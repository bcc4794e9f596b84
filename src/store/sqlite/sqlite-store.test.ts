import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { appendOne, EVERYTHING, verdictsOf } from '../../../test/contract/store/case.ts';
import { atEnd } from '../../../test/support/at-end.ts';
import { makeEvent, makeEvents } from '../../../test/support/make-events.ts';
import { SqliteHarness } from '../../../test/support/sqlite-harness.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import type { WireEvent } from '../../client/index.ts';
import type { Store } from '../store.ts';
import { openWriter } from './connection.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts';
import { SqliteStore } from './sqlite-store.ts';

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

/** All positions, page by page. */
async function pagedPositions(
  store: Store,
  topic: string,
  order: 'asc' | 'desc',
  limit: number,
): Promise<number[]> {
  const positions: number[] = [];
  for (let cursor: number | undefined; ; ) {
    const page = await store.events({
      topic,
      order,
      limit,
      offset: 0,
      ...(order === 'asc' ? { after: cursor } : { before: cursor }),
    });
    positions.push(...page.events.map(({ position }) => position));
    if (page.next === undefined) return positions;
    cursor = page.next;
  }
}

test('a topic is read whole, whether its blocks are noted by topic or wait for that', async () => {
  await using harness = new SqliteHarness();
  let store = await harness.open();
  const byTopic = new Map<string, number[]>([['none', []]]);
  let position = 0;
  async function compare(): Promise<void> {
    for (const [topic, expected] of byTopic) {
      assert.deepEqual(await pagedPositions(store, topic, 'asc', 100), expected, topic);
      assert.deepEqual(await pagedPositions(store, topic, 'desc', 100), expected.toReversed(), topic);
    }
  }
  // Each group is a block. Some topics are in all of them, some in few, one in the first and last alone.
  for (let group = 0; group < 420; group++) {
    const topics = [
      'all',
      group % 3 === 0 ? 'third' : 'rest',
      ...(group % 100 === 99 ? ['rare'] : []),
      ...(group % 419 === 0 ? ['ends'] : []),
    ];
    await appendOne(store, ...topics.map((topic) => makeEvent({ topic, event_id: String(group) })));
    for (const topic of topics) byTopic.set(topic, [...(byTopic.get(topic) ?? []), ++position]);
    if (group % 70 === 0) await compare();
    if (group === 200) {
      await store.close();
      store = await harness.open();
    }
    if (group === 300) {
      await harness.crash(store);
      store = await harness.open();
      await compare();
    }
  }
  await compare();
  const [first = 0, last = 0] = byTopic.get('ends') ?? [];
  const ends = { ...EVERYTHING, topic: 'ends' };
  assert.deepEqual(
    (await store.events({ ...ends, after: first })).events.map((event) => event.position),
    [last],
  );
  assert.deepEqual(
    (await store.events({ ...ends, before: last })).events.map((event) => event.position),
    [first],
  );
});

test('what is new in a group comes back as it was sent, wherever duplicates and large events stand between', async () => {
  await using harness = new SqliteHarness();
  const store = await harness.open();
  const payloads = [10, 5000, 100_000, 20, 16_000, 16_384, 0, 300].map((length, n) => ({
    n,
    text: 'ü'.repeat(length / 2),
  }));
  const sent: WireEvent[] = [];
  for (let group = 0; group < 12; group++) {
    const fresh = payloads.flatMap((payload, n) =>
      (group >> (n % 4)) & 1
        ? []
        : [
            makeEvent({
              topic: `t${n % 3}`,
              event_id: `${group}-${n}`,
              payload,
              ...(n % 2 && { sequence: n }),
            }),
          ],
    );
    const known = sent.slice(-20);
    // One of each in turn, so that no two new ones lie side by side; then the other way round.
    const mixed =
      group % 3 === 0 ? fresh : fresh.flatMap((event, i) => [...known.slice(i, i + 1), event, event]);
    await appendOne(store, ...mixed);
    sent.push(...fresh);
  }
  for (const [i, { topic, event_id, source, payload, sequence }] of sent.entries()) {
    const stored = await store.eventAt(i + 1);
    assert.deepEqual(
      [stored?.topic, stored?.event_id, stored?.source, stored?.payload, stored?.sequence],
      [topic, event_id, source, JSON.stringify(payload), sequence],
    );
  }
  assert.equal(await store.lastPosition(), sent.length);
});

test('the log that is folded by a thread of its own begins anew, and loses nothing', async (t) => {
  const dataDir = tempDir(t);
  let store = SqliteStore.open({ dataDir, checkpointThread: true });
  atEnd(t, () => store.close()); // its thread would keep the process of a test that fails
  const text = 'x'.repeat(100_000);
  const groups = 250; // 250 MB: several rounds of folding
  const sizes: number[] = [];
  for (let group = 0; group < groups; group++) {
    await appendOne(store, ...makeEvents(10, `${group}-`, { payload: { group, text } }));
    sizes.push(statSync(join(dataDir, 'sekali.db-wal')).size);
    await nextTurn(); // for what the thread has to say
  }
  assert.ok(Math.max(...sizes) < 200e6, `the log has grown to ${Math.max(...sizes)} bytes`);
  for (let open = 0; open < 2; open++) {
    assert.equal(await store.lastPosition(), groups * 10);
    for (const group of [0, 141, groups - 1]) {
      assert.equal((await store.eventAt(group * 10 + 10))?.payload, JSON.stringify({ group, text }));
    }
    await store.close();
    store = SqliteStore.open({ dataDir, checkpointThread: true });
  }
  assert.deepEqual(
    await verdictsOf(store, ...makeEvents(10, '7-', { payload: { group: 7, text } })),
    Array(10).fill('duplicate'),
  );
});
