import type { MarkStore } from '../exactly-once.ts';

/** What is used of a client of `pg`. */
export interface PostgresClient {
  query(sql: string, values?: unknown[]): Promise<{ rowCount: number | null; command?: string }>;
  release(error?: boolean): void;
}

/** What is used of a Pool of `pg`. It has two ways to connect; the second takes a callback. */
interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

/** The client that a pool gives out, with all that it can. */
type ClientOf<Pool> = Pool extends { connect: { (): Promise<infer Client>; (...rest: never): unknown } }
  ? Client
  : Pool extends { connect(): Promise<infer Client> }
    ? Client
    : PostgresClient;

const IS_THERE = `SELECT WHERE to_regclass('sekali_marks') IS NOT NULL`;

/**
 * One transaction, one at a time: of consumers that start together, all but one failed at CREATE TABLE IF NOT EXISTS. The number is the
 * lock's alone.
 */
const CREATE = `
SELECT pg_advisory_xact_lock(5221468290170355);
CREATE TABLE IF NOT EXISTS sekali_marks (
  subscription text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  done_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (subscription, topic, event_id)
);
CREATE INDEX IF NOT EXISTS sekali_marks_done_at ON sekali_marks (done_at)`;

/** The second of two transactions that leave the same mark waits here, and then finds it. */
const MARK = `
INSERT INTO sekali_marks (subscription, topic, event_id, position) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;

const FORGET = `
DELETE FROM sekali_marks WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM sekali_marks WHERE done_at < now() - $1 * interval '1 millisecond'
  ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED))`;

/**
 * Marks in PostgreSQL, through a Pool of `pg`; `tx` is its client. The table, which `prepare` makes in the first schema of the search path:
 * `sekali_marks (subscription text, topic text, event_id text, position bigint, done_at timestamptz)`, primary key (subscription, topic,
 * event_id), index on done_at. A key has at most about 2,700 bytes, as any in PostgreSQL.
 */
export function postgres<Pool extends PostgresPool>(pool: Pool): MarkStore<ClientOf<Pool> & PostgresClient> {
  type Tx = ClientOf<Pool> & PostgresClient;

  return {
    async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
      const client = (await pool.connect()) as Tx;
      let isBroken = false;
      try {
        await client.query('BEGIN');
        const result = await work(client);
        const { command } = await client.query('COMMIT');
        // So a transaction is ended in which a statement has failed, and there is no error then.
        if (command === 'ROLLBACK') throw new Error('a statement of the work has failed: it was rolled back');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {
          isBroken = true;
        });
        throw error;
      } finally {
        // One that may be within a transaction is closed, not used again.
        client.release(isBroken);
      }
    },
    async mark(tx, { subscription, topic, event_id, position }) {
      const { rowCount } = await tx.query(MARK, [subscription, topic, event_id, position]);
      return rowCount === 1;
    },
    async prepare() {
      await onClient(async (client) => {
        // Asked first: CREATE INDEX IF NOT EXISTS waits for all who are at work in the table, and they for it.
        const { rowCount } = await client.query(IS_THERE);
        if (rowCount === 0) await client.query(CREATE);
      });
    },
    async forget(olderThanMs, limit) {
      const { rowCount } = await onClient((client) => client.query(FORGET, [olderThanMs, limit]));
      return rowCount ?? 0;
    },
  };

  async function onClient<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }
}
