import type { DatabaseSync } from 'node:sqlite';
import { instantOfMs } from '../../instant.ts';
import { REASON_LEASED } from '../../transfer/records.ts';
import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import { SubscriptionRows } from './subscription-rows.ts';

/** Subscriptions that are read at once. */
const PAGE = 100;

/**
 * Subscriptions and what is outstanding or dead of them. What lies beyond the events is left out, as a server that starts does
 * (sqlite-subscriptions.ts, `pullBack`).
 */
export async function exportSubscriptions(
  db: DatabaseSync,
  writer: TransferWriter,
  lastPosition: number,
): Promise<void> {
  const rows = new SubscriptionRows(db);
  const names = new Map<number, string>();
  for (let after = ''; ; ) {
    const page = rows.page(after, PAGE);
    for (const { id, name, cursor, createdAtMs, definition, version } of page) {
      names.set(id, name);
      writer.subscription({
        name,
        cursor: Math.min(cursor, lastPosition),
        created_at: instantOfMs(createdAtMs),
        definition,
        version,
      });
      after = name;
    }
    await writer.drain();
    if (page.length < PAGE) break;
  }
  for (const [id, name] of names) await exportDeliveries(db, writer, { id, name, lastPosition });
}

async function exportDeliveries(
  db: DatabaseSync,
  writer: TransferWriter,
  { id, name, lastPosition }: { id: number; name: string; lastPosition: number },
): Promise<void> {
  const nowMs = Date.now();
  const rows = db.prepare(`
    SELECT position, topic, attempts, due_ms, lease IS NOT NULL AS is_leased, reason, NULL AS died_at_ms
      FROM outstanding WHERE subscription_id = ?1 AND position <= ?2
    UNION ALL
    SELECT position, topic, attempts, NULL, 0, reason, died_at_ms
      FROM dead WHERE subscription_id = ?1 AND position <= ?2
    ORDER BY position`);
  for (const row of rows.iterate(id, lastPosition)) {
    const [dueMs, diedAtMs] = [row['due_ms'] as number | null, row['died_at_ms'] as number | null];
    const isLeased = row['is_leased'] === 1;
    writer.delivery({
      subscription: name,
      position: row['position'] as number,
      topic: row['topic'] as string,
      attempts: row['attempts'] as number,
      due_at: isLeased || dueMs === null || dueMs <= nowMs ? undefined : instantOfMs(dueMs),
      died_at: diedAtMs === null ? undefined : instantOfMs(diedAtMs),
      reason: isLeased ? REASON_LEASED : ((row['reason'] as string | null) ?? undefined),
    });
    await writer.drain();
  }
}
