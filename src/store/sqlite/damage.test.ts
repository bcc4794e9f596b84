/** What a disk, a backup or a hand may do to a data directory: mended where the events tell how, refused where they do not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { appendOne, EVERYTHING, verdictsOf } from '../../../test/contract/store/case.ts';
import { makeEvent, makeEvents } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import type { SekaliError } from '../../errors.ts';
import { databasePath, keysDir } from './connection.ts';
import { SqliteStore } from './sqlite-store.ts';

const EVENTS = 60;
const TINY = { hotKeys: 8, mergeFanIn: 2 };

function at(position: number) {
  return makeEvent({ event_id: `event-${position}`, payload: { position } });
}

/** A closed store with an event at each position up to {@link EVENTS}, in groups of five. */
async function makeData(dataDir: string, options: { hotKeys?: number } = {}): Promise<void> {
  const store = SqliteStore.open({ dataDir, ...options });
  for (let first = 1; first <= EVENTS; first += 5) {
    await appendOne(store, ...Array.from({ length: 5 }, (_, i) => at(first + i)));
    if (options.hotKeys !== undefined) await store.settled();
  }
  await store.close();
}

function change(dataDir: string, sql: string): void {
  const db = new DatabaseSync(databasePath(dataDir));
  const before = db.prepare('SELECT total_changes() AS changes').get()?.['changes'];
  db.exec(sql);
  assert.notEqual(
    db.prepare('SELECT total_changes() AS changes').get()?.['changes'],
    before,
    'nothing was changed',
  );
  db.close();
}

/** Opens the store and holds it against what was stored. */
async function checkWhole(dataDir: string, options: { hotKeys?: number } = {}): Promise<void> {
  const store = SqliteStore.open({ dataDir, ...options });
  for (let position = 1; position <= EVENTS; position++) {
    const [again] = await appendOne(store, at(position));
    assert.deepEqual([again?.verdict, again?.position], ['duplicate', position]);
    const [other] = await appendOne(store, { ...at(position), payload: { other: true } });
    assert.deepEqual([other?.verdict, other?.position], ['conflict', position]);
  }
  assert.equal((await store.events(EVERYTHING)).events.length, EVENTS);
  const [next] = await appendOne(store, makeEvent({ event_id: 'next' }));
  assert.deepEqual([next?.verdict, next?.position], ['stored', EVENTS + 1]);
  await store.close();
}

const KEY_LOG_DAMAGE: readonly [string, string][] = [
  ['a row is missing in the middle', 'DELETE FROM keys WHERE first_position = 26'],
  ['the first row is missing', 'DELETE FROM keys WHERE first_position = 1'],
  ['the last row is missing', `DELETE FROM keys WHERE first_position = ${EVENTS - 4}`],
  ['all rows are missing', 'DELETE FROM keys'],
  [
    'a row is cut off within an entry',
    'UPDATE keys SET entries = substr(entries, 1, 50) WHERE first_position = 26',
  ],
  [
    'a row is cut off between entries',
    'UPDATE keys SET entries = substr(entries, 1, 48) WHERE first_position = 26',
  ],
  ['a row is empty', "UPDATE keys SET entries = x'' WHERE first_position = 26"],
  ['a row has half of its classes', "UPDATE keys SET classes = x'00' WHERE first_position = 26"],
  ['a row lies beyond the end', `UPDATE keys SET first_position = ${EVENTS + 1} WHERE first_position = 26`],
];
for (const [what, sql] of KEY_LOG_DAMAGE) {
  test(`the log of keys is mended from the events when ${what}`, async (t) => {
    const dataDir = tempDir(t);
    await makeData(dataDir);
    change(dataDir, sql);
    await checkWhole(dataDir);
    await checkAgain(dataDir);
  });
}

/** What has been mended is mended for the next start, too. */
async function checkAgain(dataDir: string): Promise<void> {
  const store = SqliteStore.open({ dataDir });
  assert.deepEqual(await verdictsOf(store, at(1), at(27), at(EVENTS)), [
    'duplicate',
    'duplicate',
    'duplicate',
  ]);
  await store.close();
}

const CONTRADICTIONS: readonly [string, string][] = [
  ['events lie beyond what is counted', 'UPDATE counters SET last_position = 30'],
  ['more is counted than there are events', `UPDATE counters SET last_position = ${EVENTS + 5}`],
  ['keys are sealed beyond what is counted', `UPDATE counters SET sealed_through = ${EVENTS + 5}`],
  [
    'an event and its key are both gone',
    'DELETE FROM keys WHERE first_position = 26; DELETE FROM blocks WHERE first_position = 26',
  ],
  [
    'generations overlap',
    "INSERT INTO generations VALUES ('seal-1-9-0000000000000001.keys', 1, 9, 9, 1), ('seal-5-9-0000000000000002.keys', 5, 9, 9, 1)",
  ],
  ['the secret is gone', "DELETE FROM meta WHERE name = 'key_secret'"],
];
for (const [what, sql] of CONTRADICTIONS) {
  test(`a store is refused when ${what}`, async (t) => {
    const dataDir = tempDir(t);
    await makeData(dataDir);
    change(dataDir, sql);
    for (let time = 0; time < 2; time++) {
      assert.throws(() => SqliteStore.open({ dataDir }), { code: 'store_damaged' });
    }
  });
}

test('a store that is refused leaves nothing running: its process ends by itself', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, TINY);
  change(dataDir, 'UPDATE counters SET last_position = 1');
  // With so few keys to a generation, merging is due, and begins with the opening.
  const code = `
    import assert from 'node:assert/strict';
    import { SqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    const options = { dataDir: ${JSON.stringify(dataDir)}, hotKeys: 1, mergeFanIn: 2 };
    assert.throws(() => SqliteStore.open(options), { code: 'store_damaged' });`;
  const timeout = 10_000;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    timeout,
  });
  assert.equal(status, 0, String(stderr));
});

/** A digit of a payload of this block is another one. */
function damageBlock(dataDir: string, firstPosition: number): void {
  change(
    dataDir,
    `UPDATE blocks SET records = CAST(replace(CAST(records AS TEXT), '"position":', '"positiom":') AS BLOB)
      WHERE first_position = ${firstPosition}`,
  );
}

test('the events of a damaged block are refused, all others are read', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, TINY);
  let store = SqliteStore.open({ dataDir, ...TINY });
  // So many blocks behind it that it is one of the older ones.
  for (let i = 0; i < 150; i++) await appendOne(store, makeEvent({ topic: 'later', event_id: String(i) }));
  await store.settled();
  await store.close();
  damageBlock(dataDir, 26);
  store = SqliteStore.open({ dataDir, ...TINY });
  t.after(() => store.close());
  await assert.rejects(store.eventAt(27), { code: 'store_damaged' });
  await assert.rejects(store.events(EVERYTHING), { code: 'store_damaged' });
  assert.equal((await store.eventAt(25))?.position, 25);
  assert.equal((await store.eventAt(31))?.position, 31);
  assert.equal((await store.events({ ...EVERYTHING, after: 30 })).events.length, EVENTS + 150 - 30);
  assert.deepEqual(await verdictsOf(store, at(27)), ['duplicate']);
});

test('a store is refused when one of its newest blocks is damaged', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir);
  damageBlock(dataDir, EVENTS - 4);
  assert.throws(() => SqliteStore.open({ dataDir }), { code: 'store_damaged' });
});

/** What may happen to the files of the key index. */
const FILE_DAMAGE: readonly [string, (path: string) => void][] = [
  ['is gone', (path) => rmSync(path)],
  ['is empty', (path) => writeFileSync(path, '')],
  [
    'is cut in half',
    (path) => writeFileSync(path, readFileSync(path).subarray(0, readFileSync(path).length >> 1)),
  ],
  ['has a bit turned in its first page', (path) => turnBit(path, 100)],
  ['has a bit turned at its end', (path) => turnBit(path, readFileSync(path).length - 1)],
];
for (const [what, damage] of FILE_DAMAGE) {
  test(`every generation is rebuilt from the events when each of them ${what}`, async (t) => {
    const dataDir = tempDir(t);
    await makeData(dataDir, TINY);
    const names = readdirSync(keysDir(dataDir));
    assert.ok(names.length > 0);
    for (const name of names) damage(join(keysDir(dataDir), name));
    await checkWhole(dataDir, TINY);
    await checkAgain(dataDir);
  });
}

function turnBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test('a page of keys that is damaged is found when it is read, and rebuilt with the next start', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, TINY);
  const names = readdirSync(keysDir(dataDir));
  // The first page of entries is behind the header's; opening does not read it.
  for (const name of names) turnBit(join(keysDir(dataDir), name), 4096 + 64);
  let refusals = 0;
  for (let position = 1; position <= EVENTS; ) {
    const store = SqliteStore.open({ dataDir, ...TINY });
    try {
      for (; position <= EVENTS; position++)
        assert.deepEqual(await verdictsOf(store, at(position)), ['duplicate']);
    } catch (error) {
      assert.equal((error as SekaliError).code, 'store_unavailable', String(error));
      refusals++;
    }
    await store.close();
    assert.ok(refusals <= names.length, 'the next start must have rebuilt it');
  }
  assert.ok(refusals > 0, 'no damaged page was read');
  await checkWhole(dataDir, TINY);
});

test('the directory of keys may be gone as a whole', async (t) => {
  const dataDir = tempDir(t);
  await makeData(dataDir, TINY);
  rmSync(keysDir(dataDir), { recursive: true });
  await checkWhole(dataDir, TINY);
});

test('keys of another data directory are never taken for its own', async (t) => {
  const [dataDir, other] = [tempDir(t), tempDir(t)];
  await makeData(dataDir, TINY);
  const store = SqliteStore.open({ dataDir: other, ...TINY });
  await appendOne(store, ...makeEvents(EVENTS, 'other-'));
  await store.settled();
  await store.close();
  const [foreign = ''] = readdirSync(keysDir(other));
  for (const name of readdirSync(keysDir(dataDir))) {
    writeFileSync(join(keysDir(dataDir), name), readFileSync(join(keysDir(other), foreign)));
  }
  await checkWhole(dataDir, TINY);
});
