import type {
  TransferConflict,
  TransferDeadLetter,
  TransferHeader,
  TransferTopic,
} from '../../transfer/records.ts';
import type { SqlQuery } from './connection.ts';
import { int4Column, int8Column, textColumn, timestamptzColumn } from './import-columns.ts';
import type { LongTransaction } from './long-transaction.ts';
import { writeMeta } from './meta.ts';

/** Rows that one statement inserts at most, and bytes of what is large in them after which it takes no more. */
const ROWS_MAX = 1000;
const BYTES_MAX = 8 * 1024 * 1024;

export interface RowBufferOptions<Row> {
  /** Makes the statement; `before` is how many rows went before them. */
  insert(rows: Row[], before: number): SqlQuery;
  /** About how large a row is, if it may be large. */
  bytesOf?(row: Row): number;
}

/** Rows of one of the smaller tables, until there are enough for a statement. */
export class RowBuffer<Row> {
  readonly #options: RowBufferOptions<Row>;
  #rows: Row[] = [];
  #bytes = 0;
  #before = 0;

  constructor(options: RowBufferOptions<Row>) {
    this.#options = options;
  }

  add(row: Row): void {
    this.#rows.push(row);
    this.#bytes += this.#options.bytesOf?.(row) ?? 0;
  }

  whenFull(): SqlQuery | undefined {
    return this.#rows.length >= ROWS_MAX || this.#bytes >= BYTES_MAX ? this.rest() : undefined;
  }

  rest(): SqlQuery | undefined {
    const rows = this.#rows;
    if (rows.length === 0) return undefined;
    const query = this.#options.insert(rows, this.#before);
    this.#before += rows.length;
    this.#rows = [];
    this.#bytes = 0;
    return query;
  }
}

/** Replaces the secrets, and writes the counters as one slot. @returns its number */
export async function insertHeader(session: LongTransaction, header: TransferHeader): Promise<number> {
  const { rows } = await session.query("SELECT value FROM sekali.meta WHERE name = 'data_id'");
  const seed = Buffer.alloc(8);
  seed.writeInt32LE(header.contentSeed.high, 0);
  seed.writeInt32LE(header.contentSeed.low, 4);
  const dataId = (rows[0] as { value: Buffer }).value;
  await writeMeta(
    session.client,
    new Map([
      ['key_secret', header.keySecret],
      ['content_seed', seed],
      ['data_id', dataId],
    ]),
  );
  const { unique_processed, duplicate_dropped, conflicts, rejected, dead_lettered } = header.counters;
  await session.query('DELETE FROM sekali.counters');
  const inserted = await session.query({
    text: `INSERT INTO sekali.counters (unique_processed, duplicate_dropped, conflicts, rejected, dead_lettered)
      VALUES ($1, $2, $3, $4, $5) RETURNING slot`,
    values: [unique_processed, duplicate_dropped, conflicts, rejected, dead_lettered],
  });
  const { slot } = inserted.rows[0] as { slot: number };
  for (const [epoch, events] of Object.entries(header.consumed)) {
    await session.query({
      text: 'INSERT INTO sekali.consumed_counts (epoch, slot, events) VALUES ($1, $2, $3)',
      values: [epoch, slot, events],
    });
  }
  return slot;
}

/** Topics get the numbers from 1 on, in their order; what is counted of them goes to the slot. */
export function insertTopics(topics: readonly TransferTopic[], before: number, slot: number): SqlQuery {
  return {
    text: `WITH t AS (
        SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
          $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::timestamptz[], $13::timestamptz[])
          AS t (topic_id, topic, retired_before, retired, retired_bytes, events, duplicates, conflicts, bytes,
            first_position, last_position, first_at, last_at)
      ), named AS (
        INSERT INTO sekali.topics (topic_id, topic, retired_before, retired, retired_bytes) OVERRIDING SYSTEM VALUE
          SELECT topic_id, topic, greatest(retired_before, 1), retired, retired_bytes FROM t
      )
      INSERT INTO sekali.topic_counts
          (topic_id, slot, events, duplicates, conflicts, bytes, first_position, last_position, first_at, last_at)
        SELECT topic_id, $14::integer, events, duplicates, conflicts, bytes, first_position, last_position, first_at, last_at
          FROM t`,
    values: [
      int4Column(topics.map((_, i) => before + i + 1)),
      textColumn(topics.map(({ topic }) => topic)),
      int8Column(topics.map(({ retired_before }) => retired_before)),
      int8Column(topics.map(({ retired }) => retired)),
      int8Column(topics.map(({ retired_bytes }) => retired_bytes)),
      int8Column(topics.map(({ events }) => events)),
      int8Column(topics.map(({ duplicates }) => duplicates)),
      int8Column(topics.map(({ conflicts }) => conflicts)),
      int8Column(topics.map(({ bytes }) => bytes)),
      int8Column(topics.map(({ first_position }) => first_position)),
      int8Column(topics.map(({ last_position }) => last_position)),
      timestamptzColumn(topics.map(({ first_at }) => first_at)),
      timestamptzColumn(topics.map(({ last_at }) => last_at)),
      slot,
    ],
  };
}

export function insertConflicts(rows: readonly { conflict: TransferConflict; topicId: number }[]): SqlQuery {
  const conflicts = rows.map(({ conflict }) => conflict);
  return {
    text: `INSERT INTO sekali.conflicts
        (number, topic_id, event_id, position, "timestamp", source, payload, received_at) OVERRIDING SYSTEM VALUE
      SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[],
        $8::timestamptz[])`,
    values: [
      int8Column(conflicts.map(({ number }) => number)),
      int4Column(rows.map(({ topicId }) => topicId)),
      textColumn(conflicts.map(({ event_id }) => event_id)),
      int8Column(conflicts.map(({ position }) => position)),
      timestamptzColumn(conflicts.map(({ timestamp }) => timestamp)),
      textColumn(conflicts.map(({ source }) => source)),
      textColumn(conflicts.map(({ payload }) => payload)),
      timestamptzColumn(conflicts.map(({ received_at }) => received_at)),
    ],
  };
}

export function insertDeadLetters(letters: readonly TransferDeadLetter[]): SqlQuery {
  return {
    text: `INSERT INTO sekali.dead_letters (entry, events, reason, attempts, at, body)
      SELECT entry::uuid, events, reason, attempts, at, decode(body, 'base64')
        FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[], $5::timestamptz[], $6::text[])
          AS l (entry, events, reason, attempts, at, body)`,
    values: [
      textColumn(letters.map(({ entry }) => entry)),
      int4Column(letters.map(({ events }) => events)),
      textColumn(letters.map(({ reason }) => reason)),
      int4Column(letters.map(({ attempts }) => attempts)),
      timestamptzColumn(letters.map(({ at }) => at)),
      textColumn(letters.map(({ body }) => body)),
    ],
  };
}
