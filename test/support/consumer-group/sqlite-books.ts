import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { exactlyOnce, sqlite, type WireStoredEvent } from '../../../src/client/index.ts';
import { atEnd } from '../at-end.ts';
import { amountOf, type Booking, type Books, type Sum } from './books.ts';

/** How long a member waits for the transaction of another. */
const BUSY_MS = 10_000;

const CREATE = `
PRAGMA journal_mode = WAL;
CREATE TABLE sums (topic TEXT PRIMARY KEY, events INTEGER NOT NULL, total INTEGER NOT NULL) WITHOUT ROWID, STRICT`;

const BOOK = `
INSERT INTO sums VALUES (?, 1, ?)
ON CONFLICT (topic) DO UPDATE SET events = events + 1, total = total + excluded.total`;

/** One file for all members. */
export function makeSqliteBooks(t: TestContext, file: string): Books {
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  atEnd(t, () => db.close());
  db.exec(CREATE);
  return {
    place: { kind: 'sqlite', file },
    async read() {
      const sums = db.prepare('SELECT * FROM sums ORDER BY topic').all() as unknown as Sum[];
      const marks = db
        .prepare(`SELECT topic || ' ' || event_id || ' ' || position AS mark FROM sekali_marks`)
        .all() as { mark: string }[];
      return { sums: sums.map((sum) => ({ ...sum })), marks: marks.map(({ mark }) => mark).sort() };
    },
  };
}

export function openSqliteBooks(file: string): Booking {
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  // It is killed, the machine is not: what was committed is with the operating system.
  db.exec('PRAGMA synchronous = NORMAL');
  return (onBooked) =>
    exactlyOnce(sqlite(db), async (event: WireStoredEvent, tx) => {
      tx.prepare(BOOK).run(event.topic, amountOf(event));
      onBooked(event);
      // So that it can be killed within its transaction, and others can come to stand behind it.
      await new Promise(setImmediate);
    });
}
