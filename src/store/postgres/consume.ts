import type { ConsumedEntries, DeadLetter } from '../store.ts';
import { uuidArray } from './append.ts';
import type { SqlClient } from './connection.ts';

/** SQLSTATE with which append_1 refuses a group some of whose entries have been consumed before. */
export const REPEATED = 'SK001';

/** Those of the entries that have been consumed. */
export async function readConsumed(client: SqlClient, { ids }: ConsumedEntries): Promise<Uint8Array[]> {
  const { rows } = await client.query({
    text: 'SELECT uuid_send(entry) FROM sekali.consumed_entries WHERE entry = ANY($1::uuid[])',
    values: [uuidArray(ids)],
    rowMode: 'array',
  });
  return (rows as [Buffer][]).map(([id]) => Uint8Array.from(id));
}

/** @returns false when the entry had been consumed before */
export async function setAside(client: SqlClient, letter: DeadLetter): Promise<boolean> {
  const { rows } = await client.query({
    text: 'SELECT sekali.dead_letter_1($1, $2, $3, $4, $5, $6) AS is_new',
    values: [
      letter.epoch,
      Buffer.from(letter.id).toString('hex'),
      letter.events,
      letter.reason.replaceAll('\0', ''),
      letter.attempts,
      Buffer.from(letter.body),
    ],
  });
  return rows[0].is_new as boolean;
}
