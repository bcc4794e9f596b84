/**
 * The store is killed at every point of retiring events; what is opened after that has all keys, and just the events that are
 * within the limits. This file is its own victim: run with a directory as its argument, it works on a store there until it is
 * killed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WireEvent } from '../../src/client/index.ts';
import { RETENTION_FAILPOINTS } from '../../src/failpoint.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Fault, verifyStore } from '../../src/store/sqlite/verify/verify-store.ts';
import { orderRules, type Retention } from '../../src/topic-rules.ts';
import { appendOne, EVERYTHING } from '../contract/store/case.ts';
import { makeEvent } from '../support/make-events.ts';
import { TINY_GENERATIONS } from '../support/sqlite-harness.ts';
import { tempDir } from '../support/temp-dir.ts';

const ROUNDS = 30;
const START_MS = Date.parse('2026-01-31T12:00:00Z');

const BYTES = 50_000;
const LIMITS: Record<string, Partial<Retention>> = {
  count: { count: 5 },
  bytes: { bytes: BYTES },
  'age.one': { ageS: 3 },
  'age.other': { ageS: 3 },
};

const retention = orderRules(
  Object.entries(LIMITS).map(([topic, limits]) => ({
    topic,
    isPrefix: false,
    limits: { ageS: undefined, bytes: undefined, count: undefined, ...limits },
  })),
);

/** Some blocks have several topics, some have one that goes as a whole, some keep one event among those that go. */
function roundOf(round: number): WireEvent[] {
  const of = (topic: string, n: number, bytes: number) =>
    makeEvent({ topic, event_id: `${round}-${n}`, payload: { pad: 'x'.repeat(bytes) } });
  const events = ['age.one', 'age.other', 'count', 'bytes'].flatMap((topic) => [
    of(topic, 0, 6000),
    of(topic, 1, 100),
  ]);
  if (round % 10 === 5) events.push(of('kept', 0, 0));
  return events;
}

function openAt(dataDir: string, round: number): SqliteStore {
  const clock = { nowMs: () => START_MS + round * 1000 };
  return SqliteStore.open({ dataDir, clock, retention, ...TINY_GENERATIONS });
}

const victimDir = process.argv[2];
if (victimDir === undefined) defineTests();
else await beVictim(victimDir);

async function beVictim(dataDir: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const store = openAt(dataDir, round);
    await appendOne(store, ...roundOf(round));
    store.sweep();
    await store.close();
  }
}

function runVictim(dataDir: string, failpoint?: string) {
  return spawnSync(process.execPath, [fileURLToPath(import.meta.url), dataDir], {
    env: { ...process.env, SEKALI_FAILPOINT: failpoint },
    encoding: 'utf8',
  });
}

/** Of its record, all of it being ASCII. */
function bytesOf({ event_id, source, payload }: WireEvent): number {
  return event_id.length + source.length + JSON.stringify(payload).length;
}

/** The ids that are to be left of a topic when these rounds have been stored and it is the time of the last one. */
function leftOf(topic: string, rounds: number): string[] {
  const all = Array.from({ length: rounds }, (_, round) =>
    roundOf(round).filter((event) => event.topic === topic),
  ).flat();
  const { count, bytes, ageS } = LIMITS[topic] ?? {};
  if (count !== undefined) return all.slice(-count).map(({ event_id }) => event_id);
  if (ageS !== undefined) return all.slice(-2 * (ageS + 1)).map(({ event_id }) => event_id);
  let sum = 0;
  const fits = (event: WireEvent) => (sum += bytesOf(event)) <= (bytes ?? Number.POSITIVE_INFINITY);
  const firstOver = all.findLastIndex((event) => !fits(event));
  return all.slice(firstOver + 1).map(({ event_id }) => event_id);
}

function faultsOf(dataDir: string): Fault[] {
  const faults: Fault[] = [];
  verifyStore({ dataDir, onFault: (fault) => faults.push(fault) });
  return faults;
}

/** @returns rounds that are stored */
async function check(dataDir: string): Promise<number> {
  assert.deepEqual(faultsOf(dataDir), []);
  const before = openAt(dataDir, 0);
  const stored = await before.lastPosition();
  const all = Array.from({ length: ROUNDS }, (_, round) => roundOf(round));
  const rounds = all.findIndex((_, round) => all.slice(0, round + 1).flat().length > stored);
  const done = rounds === -1 ? ROUNDS : rounds;
  assert.equal(all.slice(0, done).flat().length, stored, 'part of a group is there');
  await checkCounts(before);
  await before.close();

  const store = openAt(dataDir, done - 1);
  store.sweep();
  await checkCounts(store);
  for (const topic of [...Object.keys(LIMITS), 'kept']) {
    const { events } = await store.events({ ...EVERYTHING, topic });
    assert.deepEqual(
      events.map(({ event_id }) => event_id),
      leftOf(topic, done),
      topic,
    );
  }

  const receipts = await appendOne(store, ...all.slice(0, done).flat());
  assert.deepEqual(faultsOf(dataDir), []);
  assert.deepEqual(
    receipts.map(({ verdict, position }) => [verdict, position]),
    receipts.map((_, i) => ['duplicate', i + 1]),
  );
  await store.close();
  return done;
}

/** What is counted as left is what can be read, whatever was going on. */
async function checkCounts(store: SqliteStore): Promise<void> {
  const { events } = await store.events(EVERYTHING);
  const topics = await store.topics({ after: undefined, limit: 10 });
  const left = Map.groupBy(events, ({ topic }) => topic);
  for (const { topic, events, retired } of topics)
    assert.equal(left.get(topic)?.length ?? 0, events - retired, topic);
  const { received, unique_processed, duplicate_dropped } = await store.counters();
  assert.equal(received, unique_processed + duplicate_dropped);
  assert.equal(unique_processed, await store.lastPosition());
}

function defineTests(): void {
  for (const point of RETENTION_FAILPOINTS) {
    test(`killed at ${point}, nothing but what is due has gone, and no key`, async (t) => {
      const dataDir = tempDir(t);
      const rounds: number[] = [];
      for (const time of [1, 4, 9, 23]) {
        const { signal, stderr } = runVictim(dataDir, `${point}:${time}`);
        assert.equal(signal, 'SIGKILL', stderr);
        rounds.push(await check(dataDir));
      }
      assert.ok(rounds.at(-1)! > rounds[0]!, `it stopped after ${rounds.join(', ')} rounds`);
      const { status, stderr } = runVictim(dataDir);
      assert.equal(status, 0, stderr);
      assert.equal(await check(dataDir), ROUNDS);
    });
  }
}
