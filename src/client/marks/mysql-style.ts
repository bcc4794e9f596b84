import type { MarkStore } from '../exactly-once.ts';

/** What is used of a connection of `mysql2/promise` or `mariadb`. */
export interface MysqlConnection {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  beginTransaction(): Promise<unknown>;
  commit(): Promise<unknown>;
  rollback(): Promise<unknown>;
  release(): unknown;
  /** Closes it, where it may be within a transaction. */
  destroy?(): unknown;
}

/** Bytes: every collation of text takes some names for the same that are not, if only for a space at the end. */
const CREATE = `
CREATE TABLE IF NOT EXISTS sekali_marks (
  subscription VARBINARY(1020) NOT NULL,
  topic VARBINARY(1020) NOT NULL,
  event_id VARBINARY(1020) NOT NULL,
  position BIGINT NOT NULL,
  done_at DATETIME(3) NOT NULL,
  PRIMARY KEY (subscription, topic, event_id),
  INDEX sekali_marks_done_at (done_at)
) ENGINE = InnoDB`;

const MARK = `
INSERT INTO sekali_marks (subscription, topic, event_id, position, done_at) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))`;

const FORGET = `
DELETE FROM sekali_marks WHERE done_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND ORDER BY done_at LIMIT ?`;

/** ER_DUP_ENTRY. The number of changed rows does not tell: drivers set CLIENT_FOUND_ROWS, which makes it 1 either way. */
const DUPLICATE_ENTRY = 1062;

/**
 * Marks in MySQL or MariaDB, through a pool of `mysql2/promise` or `mariadb`; `tx` is its connection, which has to speak utf8mb4. The table,
 * which `prepare` makes: `sekali_marks (subscription, topic, event_id VARBINARY(1020), position BIGINT, done_at DATETIME(3))`, primary key
 * (subscription, topic, event_id), index on done_at, which is in UTC.
 */
export function mysqlStyle<Connection extends MysqlConnection>(pool: {
  getConnection(): Promise<Connection>;
}): MarkStore<Connection> {
  return {
    async transaction(work) {
      const connection = await pool.getConnection();
      let isBroken = false;
      try {
        await connection.beginTransaction();
        const result = await work(connection);
        await connection.commit();
        return result;
      } catch (error) {
        await connection.rollback().catch(() => {
          isBroken = true;
        });
        throw error;
      } finally {
        if (isBroken && connection.destroy) connection.destroy();
        else connection.release();
      }
    },
    async mark(tx, { subscription, topic, event_id, position }) {
      try {
        await tx.query(MARK, [subscription, topic, event_id, position]);
        return true;
      } catch (error) {
        if ((error as { errno?: unknown }).errno === DUPLICATE_ENTRY) return false;
        throw error;
      }
    },
    async prepare() {
      await onConnection((connection) => connection.query(CREATE));
    },
    async forget(olderThanMs, limit) {
      const seconds = Math.ceil(olderThanMs / 1000);
      const answer = await onConnection((connection) => connection.query(FORGET, [seconds, limit]));
      // mysql2 answers with the result and the fields, mariadb with the result.
      const result = (Array.isArray(answer) ? answer[0] : answer) as { affectedRows?: number };
      return result.affectedRows ?? 0;
    },
  };

  async function onConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await pool.getConnection();
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }
}
