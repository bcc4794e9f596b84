/** Data that an earlier Sekali wrote, with a row an event, is all there after an update. */
import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  appendOne,
  EVERYTHING,
  LIMITS,
  type Receipt,
  toReceipts,
} from '../../../test/contract/store/case.ts';
import { makeEvent } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { BatchDecoder } from '../../ingest/decode.ts';
import { formatInstant, parseInstant } from '../../instant.ts';
import { EventPack } from '../event-pack.ts';
import type { StoredEvent } from '../store-reader.ts';
import { openWriter } from './connection.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts';
import { sql as schema1 } from './migrations/001-events.ts';
import { SqliteStore } from './sqlite-store.ts';

const TIMESTAMPS = [
  '0001-01-01T00:00:00.000000Z',
  '9999-12-31T23:59:59.999999Z',
  '0000-01-01T00:00:00.000001Z',
  '1600-02-29T12:00:00.123456Z',
  '1969-12-31T23:59:59.999999Z',
  '1970-01-01T00:00:00.000000Z',
  '2026-01-31T12:00:00.000001Z',
];
const PAYLOADS = [
  '{"total":129.95}',
  '{ "b" : 1.0, "a":12345678901234567890 }',
  '{}',
  '{"text":"\\u00e9é😀\\u0000","e":1E400,"n":-0}',
  `{"large":"${'x'.repeat(40_000)}"}`,
];
const SEQUENCES = [undefined, 0, 7, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER];
const TOPICS = ['orders', 'Ünï', 'a'];

/** Events as schema 1 had them; groups of a few share the time at which they were stored. */
function makeOld(count: number): StoredEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    position: i + 1,
    topic: TOPICS[i % 7 === 6 ? 1 : i % 5 === 4 ? 2 : 0]!,
    event_id: `𝒊𝒅-${i}`,
    timestamp: parseInstant(TIMESTAMPS[i % TIMESTAMPS.length]!)!,
    source: i % 3 === 0 ? 'søurce' : 'shop',
    payload: PAYLOADS[i % 997 === 0 ? 4 : i % 4]!,
    processed_at: 1_769_860_800_000_000 + Math.floor(i / 3000) * 1_000_000 + Math.floor(i / 7) * 1000,
    sequence: SEQUENCES[i % SEQUENCES.length],
  }));
}

/** Writes what the first Sekali would have written for these events. */
function writeSchema1(db: DatabaseSync, events: readonly StoredEvent[]): void {
  db.exec(`BEGIN; ${schema1}`);
  const topicIds = new Map([...new Set(events.map(({ topic }) => topic))].map((topic, i) => [topic, i + 3]));
  const insertTopic = db.prepare('INSERT INTO topics VALUES (?, ?, ?, 0, 0, ?, ?, ?, ?)');
  for (const [topic, topicId] of topicIds) {
    const own = events.filter((event) => event.topic === topic);
    const [first, last] = [own[0]!, own.at(-1)!];
    const { position: from, processed_at: since } = first;
    insertTopic.run(topicId, topic, own.length, from, last.position, since, last.processed_at);
  }
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  for (const { position, topic, event_id, timestamp, source, payload, processed_at, sequence } of events) {
    const topicId = topicIds.get(topic)!;
    insert.run(position, topicId, event_id, timestamp, source, payload, processed_at, sequence ?? null);
  }
  db.prepare('INSERT INTO keys VALUES (1, ?)').run(new Uint8Array(24 * events.length));
  db.prepare('UPDATE counters SET last_position = ?, received = ?, unique_processed = ?, rejected = 4').run(
    events.length,
    events.length,
    events.length,
  );
  db.exec('PRAGMA user_version = 1; COMMIT');
}

async function readAll(store: SqliteStore, topic?: string): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await store.events({ ...EVERYTHING, after, topic });
    all.push(...page.events);
    after = page.next;
  }
  return all;
}

function toWire({ topic, event_id, timestamp, source, payload, sequence }: StoredEvent): string {
  const event = { topic, event_id, timestamp: formatInstant(timestamp), source, payload: 0, sequence };
  return JSON.stringify(event).replace('"payload":0', () => `"payload":${payload}`);
}

async function openOld(dataDir: string, events: readonly StoredEvent[]): Promise<SqliteStore> {
  const db = openWriter(dataDir);
  writeSchema1(db, events);
  db.close();
  return SqliteStore.open({ dataDir, hotKeys: 512, mergeFanIn: 2 });
}

test('every event of schema 1 is carried over as it was: payload, times, sequence, position', async (t) => {
  const events = makeOld(4003);
  const store = await openOld(tempDir(t), events);
  t.after(() => store.close());
  const found = await readAll(store);
  assert.equal(found.length, events.length);
  found.forEach((event, i) => assert.deepEqual(event, events[i]));
  for (const topic of TOPICS) {
    const own = events.filter((event) => event.topic === topic);
    assert.deepEqual(await readAll(store, topic), own);
    const summaries = await store.topics({ after: undefined, limit: 10 });
    const summary = summaries.find((each) => each.topic === topic);
    assert.deepEqual(
      [summary?.events, summary?.first_position, summary?.last_position, summary?.last_at],
      [own.length, own[0]?.position, own.at(-1)?.position, own.at(-1)?.processed_at],
    );
  }
  for (const i of [0, 999, 1000, 2999, 4002]) assert.deepEqual(await store.eventAt(i + 1), events[i]);
  assert.equal((await store.counters()).rejected, 4);
});

test('events of schema 1 are known again afterwards, and after the next start', async (t) => {
  const dataDir = tempDir(t);
  const events = makeOld(1200);
  let store = await openOld(dataDir, events);
  for (let start = 0; start < 2; start++) {
    for (let at = 0; at < events.length; at += 100) {
      const slice = events.slice(at, at + 100);
      // As text: a payload that went through JSON.parse would not be the same one.
      const receipts = await appendText(store, slice.map(toWire));
      slice.forEach(({ position, processed_at }, i) => {
        assert.deepEqual(receipts[i], { verdict: 'duplicate', position, firstSeenAt: processed_at });
      });
    }
    const { topic, event_id } = events[5]!;
    const [conflict] = await appendOne(store, makeEvent({ topic, event_id, payload: { other: 1 } }));
    assert.deepEqual([conflict?.verdict, conflict?.position], ['conflict', 6]);
    await store.settled();
    await store.close();
    store = SqliteStore.open({ dataDir });
  }
  const [next] = await appendOne(store, makeEvent({ event_id: 'new' }));
  assert.deepEqual([next?.verdict, next?.position], ['stored', events.length + 1]);
  await store.close();
});

async function appendText(store: SqliteStore, texts: readonly string[]): Promise<Receipt[]> {
  const events = new EventPack();
  new BatchDecoder(LIMITS, store.secrets).decode(Buffer.from(texts.join('\n')), 'ndjson', events);
  const group = { events, batches: [{ end: events.length, rejected: 0, wantFirstSeen: true }] };
  const [receipts = []] = toReceipts(group, await store.append(group));
  return receipts;
}

test('a store of schema 1 without events is carried over', async (t) => {
  const store = await openOld(tempDir(t), []);
  t.after(() => store.close());
  assert.equal(await store.lastPosition(), 0);
  assert.equal((await appendOne(store, makeEvent()))[0]?.position, 1);
});

test('a migration that fails leaves schema 1 as it was', async (t) => {
  const dataDir = tempDir(t);
  const events = makeOld(50);
  const db = openWriter(dataDir);
  t.after(() => db.close());
  writeSchema1(db, events);
  db.exec("UPDATE events SET payload = '{' WHERE position = 40"); // nothing that can be fingerprinted
  assert.throws(() => migrate(db));
  assert.equal(schemaVersion(db), 1);
  assert.equal(db.prepare('SELECT count(*) AS count FROM events').get()?.['count'], events.length);
  db.prepare('UPDATE events SET payload = ? WHERE position = 40').run(events[39]!.payload);
  migrate(db);
  assert.equal(schemaVersion(db), SCHEMA_VERSION);
});
