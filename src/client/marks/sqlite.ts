import type { MarkStore } from '../exactly-once.ts';

/** What is used of a DatabaseSync of `node:sqlite`, or of a Database of `better-sqlite3`. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: (string | number)[]): { changes: number | bigint } };
}

const CREATE = `
CREATE TABLE IF NOT EXISTS sekali_marks (
  subscription TEXT NOT NULL,
  topic TEXT NOT NULL,
  event_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  PRIMARY KEY (subscription, topic, event_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sekali_marks_done_at ON sekali_marks (done_at)`;

const MARK = `
INSERT INTO sekali_marks (subscription, topic, event_id, position, done_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING`;

const FORGET = `
DELETE FROM sekali_marks WHERE (subscription, topic, event_id) IN (
  SELECT subscription, topic, event_id FROM sekali_marks WHERE done_at < ? ORDER BY done_at LIMIT ?)`;

/**
 * Marks in SQLite; `tx` is the database itself. It has one connection, so transactions run one after the other, whatever the consumer's
 * `concurrency`. What else is written through the same connection while the work waits for something gets into its transaction: give
 * the consumer a connection of its own.
 *
 * The table, which `prepare` makes: `sekali_marks (subscription, topic, event_id, position, done_at)`, primary key (subscription, topic,
 * event_id), index on done_at, which is in milliseconds since 1970.
 */
export function sqlite<Database extends SqliteDatabase>(db: Database): MarkStore<Database> {
  let last: Promise<unknown> = Promise.resolve();

  async function transaction<T>(work: (tx: Database) => Promise<T>): Promise<T> {
    const turn = last.then(() => inTransaction(db, work));
    last = turn.catch(() => {});
    return await turn;
  }

  return {
    transaction,
    async mark(tx, { subscription, topic, event_id, position }) {
      const { changes } = tx.prepare(MARK).run(subscription, topic, event_id, position, Date.now());
      return Number(changes) === 1;
    },
    async prepare() {
      await transaction(async (tx) => tx.exec(CREATE));
    },
    async forget(olderThanMs, limit) {
      return await transaction(async (tx) =>
        Number(tx.prepare(FORGET).run(Date.now() - olderThanMs, limit).changes),
      );
    },
  };
}

async function inTransaction<Database extends SqliteDatabase, T>(
  db: Database,
  work: (tx: Database) => Promise<T>,
): Promise<T> {
  // At once: a transaction that reads first may not be able to write later.
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = await work(db);
    db.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      db.exec('ROLLBACK');
    } catch {
      // Some errors have rolled it back already.
    }
    throw error;
  }
}
