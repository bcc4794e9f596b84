import type { HandOut } from '../subscription-store.ts';
import type { Sql } from './sql-pool.ts';
import { PostgresHandOut } from './subscription-hand-out.ts';

/** How a hand-out ended. */
type Ended<T> =
  | { readonly kind: 'done'; readonly result: T | undefined }
  /** By its work alone: the connection is sound, and everything undone. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** Hands out of a subscription, on a connection that does nothing else meanwhile. */
export async function handOut<T>(
  sql: Sql,
  name: string,
  work: (hand: HandOut) => Promise<T>,
): Promise<Ended<T>> {
  await sql('BEGIN');
  const hand = await PostgresHandOut.begin(sql, name);
  const ended = hand === undefined ? NONE : await endOf(hand, work);
  // Where nothing was handed out there are locks alone to let go of: a commit would wait for the disk to have those.
  await sql(ended.kind === 'done' && hand?.hasWritten === true ? 'COMMIT' : 'ROLLBACK');
  return ended;
}

const NONE = { kind: 'done', result: undefined } as const;

async function endOf<T>(hand: PostgresHandOut, work: (hand: HandOut) => Promise<T>): Promise<Ended<T>> {
  try {
    return { kind: 'done', result: await work(hand) };
  } catch (error) {
    return { kind: 'failed', error };
  } finally {
    hand.end();
  }
}
