/** Fault 1, beside the groups: the process is killed in the midst of sealing, merging or rebuilding the index of keys. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BACKGROUND_FAILPOINTS } from '../../src/failpoint.ts';
import { keysDir } from '../../src/store/sqlite/connection.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { appendOne, EVERYTHING } from '../contract/store/case.ts';
import { DOOMED_STORE, GROUP_EVENTS, groupEvents, TINY_OPTIONS } from '../support/doomed-store.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Events up to the 1000 that one page has. */
const GROUPS = 60;

/** Runs the store's process to its end; returns the positions that it was told, by event. */
function runDoomed(dataDir: string, failpoint: string | undefined, groups = GROUPS) {
  const { signal, status, stdout, stderr } = spawnSync(
    process.execPath,
    [DOOMED_STORE, dataDir, String(groups)],
    {
      env: { ...process.env, SEKALI_FAILPOINT: failpoint },
      encoding: 'utf8',
    },
  );
  const acknowledged = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as [number, ...number[]]);
  return { signal, status, stderr, acknowledged };
}

/** What was acknowledged is where it was said to be; what was not is there as a whole group or not at all. */
async function check(dataDir: string, acknowledged: readonly [number, ...number[]][]): Promise<void> {
  const store = SqliteStore.open({ dataDir, ...TINY_OPTIONS });
  const before = await store.counters();
  const { events } = await store.events(EVERYTHING);
  assert.equal(before.unique_processed, events.length);
  assert.equal(before.received, before.unique_processed + before.duplicate_dropped);
  assert.equal(before.conflicts, 0);
  assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length, 'a key is there twice');
  events.forEach(({ position, event_id, payload }, i) => {
    assert.deepEqual([position, event_id, payload], [i + 1, `event-${i}`, `{"number":${i}}`]);
    assert.equal(position, i + 1);
  });
  const stored = events.length;
  assert.ok(stored >= acknowledged.length * GROUP_EVENTS);
  assert.ok(stored === 0 || stored % GROUP_EVENTS === 1, 'a part of a group is there');
  const topics = await store.topics({ after: undefined, limit: 10 });
  assert.equal(
    topics.reduce((sum, topic) => sum + topic.events, 0),
    stored,
  );

  for (const [group, ...positions] of acknowledged) {
    const receipts = await appendOne(store, ...groupEvents(group));
    assert.deepEqual(
      receipts.map(({ verdict, position }) => [verdict, position]),
      positions.map((position) => ['duplicate', position]),
    );
  }
  // The rest is found to be what the log says, too: stored before, or new now, never both.
  for (let group = acknowledged.length; group < GROUPS; group++) {
    const receipts = await appendOne(store, ...groupEvents(group));
    receipts.forEach(({ verdict, position }, i) => {
      const number = group * GROUP_EVENTS + i;
      const isKnown = number < stored || (i === 0 && group > 0);
      assert.deepEqual([verdict, position], [isKnown ? 'duplicate' : 'stored', number + 1]);
    });
  }
  await store.settled();
  await store.close();
  // Nothing is left over that the next start would not remove, and nothing that is needed is missing.
  const again = SqliteStore.open({ dataDir, ...TINY_OPTIONS });
  for (let number = 0; number <= GROUPS * GROUP_EVENTS; number++) {
    assert.equal(await again.find(`topic-${number % 3}`, `event-${number}`), number + 1);
  }
  assert.ok(readdirSync(keysDir(dataDir)).every((name) => /^(?:seal|merge|rebuild)-[^.]*\.keys$/.test(name)));
  await again.close();
}

for (const point of BACKGROUND_FAILPOINTS.filter((each) => !each.startsWith('rebuild.'))) {
  for (const time of [1, 2, 4]) {
    test(`killed at ${point}, the ${time}. time, the store loses and doubles nothing`, async (t) => {
      const dataDir = tempDir(t);
      const { signal, stderr, acknowledged } = runDoomed(dataDir, `${point}:${time}`);
      assert.equal(signal, 'SIGKILL', stderr);
      assert.ok(acknowledged.length > 0);
      await check(dataDir, acknowledged);
    });
  }
}

for (const point of BACKGROUND_FAILPOINTS.filter((each) => each.startsWith('rebuild.'))) {
  for (const lost of ['the oldest', 'every'] as const) {
    test(`killed at ${point}, with ${lost} generation lost, the store loses and doubles nothing`, async (t) => {
      const dataDir = tempDir(t);
      const { status, stderr, acknowledged } = runDoomed(dataDir, undefined);
      assert.equal(status, 0, stderr);
      const names = readdirSync(keysDir(dataDir)).sort();
      assert.ok(names.length > 1);
      const oldest = names.find((name) => /^[a-z]+-1-/.test(name)) ?? '';
      for (const name of lost === 'every' ? names : [oldest]) rmSync(join(keysDir(dataDir), name));
      // Killed again and again, as a supervisor would start it again and again.
      for (const time of [1, 2, 1]) {
        const killed = runDoomed(dataDir, `${point}:${time}`, 0);
        assert.equal(killed.signal, 'SIGKILL', killed.stderr);
        assert.equal(killed.acknowledged.length, 0);
      }
      await check(dataDir, acknowledged);
    });
  }
}
