import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { keysDir } from '../../src/store/sqlite/connection.ts';
import { makeEvents } from '../support/make-events.ts';
import { SealingHarness, SqliteHarness } from '../support/sqlite-harness.ts';
import { appendOne } from './store/case.ts';
import { testStore } from './store-contract.ts';

testStore('SQLite', async () => new SqliteHarness());
testStore('SQLite, sealing all the time', async () => new SealingHarness());

test('a store that seals all the time does: most keys are in files by the next group', async () => {
  await using harness = new SealingHarness();
  const store = await harness.open();
  for (let group = 0; group < 8; group++) await appendOne(store, ...makeEvents(5, `${group}-`));
  const names = readdirSync(keysDir(harness.dataDir));
  assert.ok(
    names.some((name) => name.startsWith('merge-1-')),
    names.join(),
  );
});
