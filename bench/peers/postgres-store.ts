/** PostgreSQL behind Sekali's HTTP server: rows go over as arrays, one statement for each half of a group. */
import { parentPort } from 'node:worker_threads';
import { Pool } from 'pg';
import { serveStore } from '../../src/store/serve-store.ts';
import type { CommitGroup } from '../../src/store/store.ts';
import { IngestOnlyStore } from './ingest-only.ts';

/** Two connections at once: a statement keeps one process of PostgreSQL busy, and there are two cores. */
const CONNECTIONS = 2;
/** Rows a statement at most, and at least when there are as many. */
const ROWS_MAX = 2000;

/** In the order of the key: two statements that wait for each other's rows in different orders are a deadlock. */
const INSERT = `
  INSERT INTO events (topic, event_id, at, source, payload)
  SELECT topic, event_id, to_timestamp(at_us / 1e6), source, payload
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[]) AS t (topic, event_id, at_us, source, payload)
  ORDER BY topic, event_id
  ON CONFLICT DO NOTHING
  RETURNING topic, event_id`;

class PostgresStore extends IngestOnlyStore {
  readonly #pool = new Pool({ connectionString: process.env['BENCH_POSTGRES_URL'], max: CONNECTIONS });

  async open(): Promise<this> {
    await this.#pool.query(`
      CREATE TABLE IF NOT EXISTS events (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        event_id text NOT NULL,
        at timestamptz NOT NULL,
        source text NOT NULL,
        payload text NOT NULL,
        UNIQUE (topic, event_id)
      )`);
    return this;
  }

  protected override async insert(group: CommitGroup): Promise<boolean[]> {
    const { length } = group.events;
    const rows = Math.min(ROWS_MAX, Math.max(1, Math.ceil(length / CONNECTIONS)));
    const starts = Array.from({ length: Math.ceil(length / rows) }, (_, i) => i * rows);
    const parts = await Promise.all(
      starts.map((start) => this.#insertPart(group, start, Math.min(length, start + rows))),
    );
    return parts.flat();
  }

  async #insertPart({ events }: CommitGroup, start: number, end: number): Promise<boolean[]> {
    const at = Array.from({ length: end - start }, (_, i) => start + i);
    const topics = at.map((i) => events.topic(i));
    const ids = at.map((i) => events.eventId(i));
    const { rows } = await this.#pool.query<[string, string]>({
      name: 'insert',
      text: INSERT,
      rowMode: 'array',
      values: [
        topics,
        ids,
        at.map((i) => events.timestamp(i)),
        at.map((i) => events.source(i)),
        at.map((i) => events.payload(i)),
      ],
    });
    if (rows.length === at.length) return at.map(() => true);
    const fresh = new Set(rows.map(([topic, id]) => `${topic}/${id}`));
    return at.map((_, i) => fresh.delete(`${topics[i]}/${ids[i]}`));
  }

  override async close(): Promise<void> {
    await this.#pool.end();
  }
}

if (parentPort) void serveStore(parentPort, () => new PostgresStore().open());
