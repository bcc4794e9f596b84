/** SQLite with a plain unique index, on a thread of its own behind Sekali's HTTP server. */
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from '../../src/store/serve-store.ts';
import type { CommitGroup } from '../../src/store/store.ts';
import { IngestOnlyStore } from './ingest-only.ts';

/** As durable as Sekali: WAL, and a sync for each transaction, which holds all requests that came meanwhile. */
class PlainSqliteStore extends IngestOnlyStore {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;

  constructor(dataDir: string) {
    super();
    this.#db = new DatabaseSync(join(dataDir, 'plain.db'));
    this.#db.exec(`
      PRAGMA page_size = 16384;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -262144;
      PRAGMA wal_autocheckpoint = 4096;
      CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        event_id TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        source TEXT NOT NULL,
        payload TEXT NOT NULL,
        UNIQUE (topic, event_id)
      ) STRICT`);
    this.#insert = this.#db.prepare(`
      INSERT INTO events (topic, event_id, at_us, source, payload) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  }

  protected override insert({ events }: CommitGroup): boolean[] {
    const isNew: boolean[] = [];
    this.#db.exec('BEGIN IMMEDIATE');
    for (let i = 0; i < events.length; i++) {
      const { changes } = this.#insert.run(
        events.topic(i),
        events.eventId(i),
        events.timestamp(i),
        events.source(i),
        events.payload(i),
      );
      isNew.push(changes === 1);
    }
    this.#db.exec('COMMIT');
    return isNew;
  }

  override async close(): Promise<void> {
    this.#db.close();
  }
}

if (parentPort) {
  const { dataDir } = workerData as { dataDir: string };
  void serveStore(parentPort, () => new PlainSqliteStore(dataDir));
}
