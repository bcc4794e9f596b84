import { append } from '../../src/store/postgres/append.ts';
import { connect, type SqlClient } from '../../src/store/postgres/connection.ts';
import { Housekeeping } from '../../src/store/postgres/housekeeping.ts';
import { Janitor } from '../../src/store/postgres/janitor.ts';
import { ensurePartitions } from '../../src/store/postgres/partitions.ts';
import { PostgresReader } from '../../src/store/postgres/postgres-reader.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import { TopicIds } from '../../src/store/postgres/topic-ids.ts';
import type { EventQuery } from '../../src/store/store-reader.ts';
import { orderRules, type Retention, type TopicRule } from '../../src/topic-rules.ts';
import { EVERYTHING, toGroup } from '../contract/store/case.ts';
import { makeEvents } from './make-events.ts';

/** A PostgreSQL store and its readers on a database that was empty. */
export class PostgresFixture implements AsyncDisposable {
  readonly databaseUrl: string;
  readonly store: PostgresStore;
  readonly reader: PostgresReader;
  /** A connection for what the test looks up or changes by itself. */
  readonly sql: SqlClient;
  readonly #opened: { close(): Promise<void> }[] = [];

  private constructor(databaseUrl: string, store: PostgresStore, sql: SqlClient) {
    this.databaseUrl = databaseUrl;
    this.store = store;
    this.sql = sql;
    this.reader = PostgresReader.open({ databaseUrl });
  }

  /** @param partitionPositions positions in each partition; there are eleven of them then, so that no append finds none */
  static async open(databaseUrl: string, partitionPositions?: number): Promise<PostgresFixture> {
    const store = await PostgresStore.open({ databaseUrl, partitionPositions });
    const sql = await connect(databaseUrl);
    if (partitionPositions !== undefined) {
      const { rows } = await sql.query(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'sekali.events'::regclass`,
      );
      for (const { name } of rows) await sql.query(`DROP TABLE ${name}`);
      await ensurePartitions(sql, { partitionPositions, room: 10 * partitionPositions });
    }
    return new PostgresFixture(databaseUrl, store, sql);
  }

  async positions(query: Partial<EventQuery> = {}): Promise<number[]> {
    const { events } = await this.reader.events({ ...EVERYTHING, ...query });
    return events.map(({ position }) => position);
  }

  /** A connection with a transaction that has appended so many events, and is open still. */
  async beginAppend(count: number, prefix: string): Promise<OpenAppend> {
    const client = await connect(this.databaseUrl);
    this.#opened.push({ close: () => client.end() });
    const group = toGroup(this.store, { events: makeEvents(count, prefix) });
    const topicIds = await new TopicIds().of(client, group.events.topics);
    await client.query('BEGIN');
    const { positions } = await append(client, group, topicIds, []);
    return {
      positions: [...positions],
      commit: async () => void (await client.query('COMMIT')),
      rollBack: async () => void (await client.query('ROLLBACK')),
    };
  }

  housekeeping(
    retention: readonly (readonly [pattern: string, limits: Partial<Retention>])[] = [],
    partitionPositions?: number,
  ): Janitor {
    const rules = orderRules(retention.map(([pattern, limits]) => toRule(pattern, limits)));
    const { databaseUrl } = this;
    const janitor = new Janitor(
      new Housekeeping({ databaseUrl, retention: rules, partitionPositions, onFailure: console.error }),
    );
    this.#opened.push({ close: () => janitor.stop() });
    return janitor;
  }

  async tables(): Promise<string[]> {
    const { rows } = await this.sql.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'sekali'::regnamespace AND relname ~ '^events_p[0-9]+$'
         ORDER BY substr(relname, 9)::bigint`,
    );
    return rows.map(({ relname }) => relname as string);
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.sql.query(`SELECT count(*)::int AS rows FROM ${table}`);
    return rows[0].rows as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#opened) await each.close();
    await this.reader.close();
    await this.store.close();
    await this.sql.end();
  }
}

interface OpenAppend {
  readonly positions: readonly number[];
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

function toRule(pattern: string, limits: Partial<Retention>): TopicRule<Retention> {
  const isPrefix = pattern.endsWith('*');
  return {
    topic: isPrefix ? pattern.slice(0, -1) : pattern,
    isPrefix,
    limits: { ageS: undefined, bytes: undefined, count: undefined, ...limits },
  };
}
