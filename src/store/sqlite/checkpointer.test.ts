import assert from 'node:assert/strict';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { atEnd } from '../../../test/support/at-end.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { Checkpointer } from './checkpointer.ts';
import { databasePath, openWriter } from './connection.ts';
import { SqliteStore } from './sqlite-store.ts';

test('the thread makes no database where there is none', async (t) => {
  const dataDir = tempDir(t);
  const store = SqliteStore.open({ dataDir, checkpointThread: true });
  rmSync(dataDir, { recursive: true });
  await store.close(); // when the thread, which was only being started, has opened what it found
  assert.equal(existsSync(dataDir), false);
});

test('without its thread the log is folded by the writer, and no commit fails', async (t) => {
  const dataDir = tempDir(t);
  const db = openWriter(dataDir);
  atEnd(t, () => db.close());
  db.exec('CREATE TABLE taken (n INTEGER)');
  const lost = Promise.withResolvers<string>();
  const checkpointer = new Checkpointer(db, join(dataDir, 'missing'), lost.resolve);
  checkpointer.committed(100e6); // waits for a thread that is just about to fail
  assert.match(await lost.promise, /unable to open database file/);
  db.exec('INSERT INTO taken VALUES (1)');
  checkpointer.committed(1);
  assert.equal(folded(dataDir), 1);
  db.exec('INSERT INTO taken VALUES (2)');
  checkpointer.committed(1); // little: nothing to fold yet
  assert.equal(folded(dataDir), 1);
  checkpointer.committed(100e6);
  assert.equal(folded(dataDir), 2);
  await checkpointer.close();
});

/** Rows in the database file alone, without its log. */
function folded(dataDir: string): unknown {
  const copy = join(dataDir, 'copy.db');
  copyFileSync(databasePath(dataDir), copy);
  const db = new DatabaseSync(copy);
  try {
    return db.prepare('SELECT count(*) AS n FROM taken').get()?.['n'];
  } finally {
    db.close();
  }
}
