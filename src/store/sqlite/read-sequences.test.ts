import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { appendOne } from '../../../test/contract/store/case.ts';
import { makeEvent, makeEvents } from '../../../test/support/make-events.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import type { SequencePage } from '../store-reader.ts';
import { openReader } from './connection.ts';
import { SequenceReader } from './read-sequences.ts';
import { SqliteStore } from './sqlite-store.ts';

const PAYLOAD = { filler: 'x'.repeat(5000) }; // three events a block

test('a page ends after its share of blocks, with where to go on, though none of them had a sequence', async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  await appendOne(store, ...makeEvents(400, 'event-', { payload: PAYLOAD }), makeEvent({ sequence: 7 }));
  const db = openReader(dataDir);
  const reader = new SequenceReader(db, 1);
  const pages: SequencePage[] = [];
  for (let after = 0; !(pages.at(-1)?.isAtEnd ?? false); after = pages.at(-1)!.through) {
    pages.push(await reader.page({ after, limit: 10 }));
  }
  const [first, ...others] = pages;
  assert.ok(first!.through > 0 && first!.through < 400 && first!.events.length === 0, `${first!.through}`);
  assert.ok(others.length > 0);
  assert.deepEqual(
    pages.flatMap(({ events }) => events.map(({ position, sequence }) => [position, sequence])),
    [[401, 7]],
  );
  db.close();
  await store.close();
});

test('what is retired has no sequence any more, also while its block is there', async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir });
  for (const topic of ['a', 'b']) {
    const events = [1, 2, 3].map((sequence) => makeEvent({ topic, event_id: `${sequence}`, sequence }));
    await appendOne(store, ...events);
  }
  await store.close();
  const db = new DatabaseSync(join(dataDir, 'sekali.db'));
  db.exec("UPDATE topics SET retired_before = 3 WHERE topic = 'a'");
  const { events } = await new SequenceReader(db).page({ after: 0, limit: 10 });
  assert.deepEqual(
    events.map(({ topic, sequence }) => `${topic}${sequence}`),
    ['a3', 'b1', 'b2', 'b3'],
  );
  db.close();
});
