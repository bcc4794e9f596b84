import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import { PAGE_BYTES, ROWS_AT_ONCE, rowsOf } from './export-page.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import type { LongTransaction } from './long-transaction.ts';

interface KeyRow {
  readonly key: string;
  readonly position: string;
  readonly content: string;
  readonly expires: string | null;
}

/** The keys that no exported event has: of retired events. */
export async function exportKeys(session: LongTransaction, writer: TransferWriter): Promise<void> {
  const sql = `
    SELECT replace(key::text, '-', '') AS key, position::text, lpad(to_hex(content), 16, '0') AS content,
        ${instantColumn('expires_at')} AS expires
      FROM sekali.keys k WHERE NOT EXISTS (
        SELECT 1 FROM sekali.events e JOIN sekali.topics t USING (topic_id)
          WHERE e.position = k.position AND e.position >= t.retired_before)`;
  for await (const { key, position, content, expires } of rowsOf<KeyRow>(session, sql)) {
    const keyLife = expires === null ? ('for ever' as const) : { expiresAt: instantOf(expires) };
    writer.key({ key, position: Number(position), content, keyLife });
    await writer.drain();
  }
}

interface ConflictRow {
  readonly number: string;
  readonly topic: string;
  readonly event_id: string;
  readonly position: string;
  readonly source: string;
  readonly payload: string | null;
  readonly at: string;
  readonly received: string;
}

export async function exportConflicts(session: LongTransaction, writer: TransferWriter): Promise<void> {
  const sql = `
    SELECT number::text, topic, event_id, position::text, source, payload, ${instantColumn('"timestamp"')} AS at,
        ${instantColumn('received_at')} AS received
      FROM sekali.conflicts c JOIN sekali.topics USING (topic_id) ORDER BY c.number`;
  for await (const row of rowsOf<ConflictRow>(session, sql)) {
    const { topic, event_id, source } = row;
    writer.conflict({
      number: Number(row.number),
      topic,
      event_id,
      position: Number(row.position),
      timestamp: instantOf(row.at),
      source,
      payload: row.payload ?? undefined,
      received_at: instantOf(row.received),
    });
    await writer.drain();
  }
}

interface LetterRow {
  readonly number: string;
  readonly entry: string;
  readonly events: number;
  readonly reason: string;
  readonly attempts: number;
  readonly at: string;
  readonly body: string;
}

/** A body is as large as an entry of the queue, so a page ends with its bytes. How long a body is is known without reading it. */
const lettersSql = `
  WITH page AS (
    SELECT * FROM sekali.dead_letters WHERE number > $1 ORDER BY number LIMIT ${ROWS_AT_ONCE}
  ), sized AS (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY number) - octet_length(body) AS before FROM page
  )
  SELECT number::text, entry::text, events, reason, attempts, ${instantColumn('at')} AS at,
      translate(encode(body, 'base64'), E'\\n', '') AS body
    FROM sized WHERE before < ${PAGE_BYTES} ORDER BY sized.number`;

export async function exportDeadLetters(session: LongTransaction, writer: TransferWriter): Promise<void> {
  for (let last = '0'; ; ) {
    const { rows } = await session.query({ name: 'export letters', text: lettersSql, values: [last] });
    const page = rows as LetterRow[];
    for (const { number, at, ...letter } of page) {
      writer.deadLetter({ ...letter, at: instantOf(at) });
      await writer.drain();
      last = number;
    }
    if (page.length === 0) return;
  }
}
