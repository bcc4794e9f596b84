import type { LongTransaction } from './long-transaction.ts';

/** Rows that an export reads at once. */
export const ROWS_AT_ONCE = 2000;

/** Bytes of payloads or bodies after which a page ends. */
export const PAGE_BYTES = 8 * 1024 * 1024;

/** Rows of a query, some at once; one query at a time. */
export async function* rowsOf<Row>(session: LongTransaction, sql: string): AsyncGenerator<Row> {
  await session.query(`DECLARE rest NO SCROLL CURSOR FOR ${sql}`);
  for (;;) {
    const { rows } = await session.query(`FETCH ${ROWS_AT_ONCE} FROM rest`);
    yield* rows as Row[];
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await session.query('CLOSE rest');
}
