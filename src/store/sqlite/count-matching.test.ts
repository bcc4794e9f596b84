import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendOne, EVERYTHING } from '../../../test/contract/store/case.ts';
import { makeEvent } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { openReader } from './connection.ts';
import { SqliteStore } from './sqlite-store.ts';
import { topicsIndexedThrough } from './topic-block-log.ts';

const EVENTS = 700;
const PAYLOAD = { filler: 'x'.repeat(5000) }; // three events a block

async function positionsOf(store: SqliteStore, topic: string | undefined): Promise<number[]> {
  const { events } = await store.events({ ...EVERYTHING, topic });
  return events.map((event) => event.position);
}

test('events are counted by what is noted of blocks, by the newest ones themselves, and without what is retired', async (t) => {
  const dataDir = tempDir(t);
  let nowMs = 1_800_000_000_000;
  const limits = { bytes: undefined, count: 40, ageS: undefined };
  const retention = [{ topic: 'b', isPrefix: false, limits }];
  const store = SqliteStore.open({ dataDir, clock: { nowMs: () => nowMs++ }, retention });
  for (let n = 0; n < EVENTS; n += 10) {
    const events = Array.from({ length: 10 }, (_, i) =>
      makeEvent({ topic: 'abc'[(n + i) % 3]!, event_id: `${n + i}`, payload: PAYLOAD }),
    );
    await appendOne(store, ...events);
  }
  const db = openReader(dataDir);
  const through = topicsIndexedThrough(db);
  db.close();
  assert.ok(through > 100 && through < EVENTS - 30, `some are noted and some are not: ${through}`);

  const check = async () => {
    for (const topic of [undefined, 'a', 'b']) {
      const found = await positionsOf(store, topic);
      for (const after of [0, 1, 5, 99, 100, 101, through - 1, through, through + 1, EVENTS - 1, EVENTS]) {
        const expected = found.filter((position) => position > after).length;
        assert.equal(await store.countEvents({ topic, after }), expected, JSON.stringify({ topic, after }));
      }
    }
  };
  await check();
  store.sweep();
  assert.equal((await positionsOf(store, 'b')).length, 40);
  await check();
  await store.close();
});

test('the position before a time is found in many blocks, also where the clock was set back', async (t) => {
  let nowMs = 1_800_000_000_000;
  const store = SqliteStore.open({ dataDir: tempDir(t), clock: { nowMs: () => nowMs } });
  const first = nowMs;
  for (let n = 0; n < 100; n++) {
    await appendOne(store, makeEvent({ event_id: `${n}` }), makeEvent({ event_id: `${n}-again` }));
    nowMs += 10;
  }
  for (const n of [0, 1, 2, 50, 98, 99]) {
    assert.equal(await store.positionBefore(first + n * 10), 2 * n, `group ${n}`);
    assert.equal(await store.positionBefore(first + n * 10 + 1), 2 * n + 2, `after group ${n}`);
  }
  nowMs = first + 500;
  await appendOne(store, makeEvent({ event_id: 'back' }));
  assert.equal(await store.positionBefore(first), 0);
  assert.equal(await store.positionBefore(first + 86_400_000), 201);
  await store.close();
});
