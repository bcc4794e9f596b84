import { REASON_LEASED } from '../../transfer/records.ts';
import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import type { SubscriptionDefinition } from '../subscription-store.ts';
import { rowsOf } from './export-page.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import type { LongTransaction } from './long-transaction.ts';
import { hexOf } from './subscription-values.ts';

interface SubscriptionRow {
  readonly name: string;
  readonly cursor: string;
  readonly definition: string;
  readonly version: string;
  readonly created: string;
}

interface DeliveryRow {
  readonly name: string;
  readonly position: string;
  readonly topic: string;
  readonly attempts: number;
  readonly reason: string | null;
  readonly due: string | null;
  readonly died: string | null;
}

/**
 * Subscriptions and what is outstanding or dead of them. No cursor of a snapshot is beyond its events: it was moved behind what its
 * mover had seen committed, up to the horizon.
 */
export async function exportSubscriptions(session: LongTransaction, writer: TransferWriter): Promise<void> {
  const subscriptions = `
    SELECT name, cursor::text, definition::text, version::text, ${instantColumn('created_at')} AS created
      FROM sekali.subscriptions ORDER BY name`;
  for await (const row of rowsOf<SubscriptionRow>(session, subscriptions)) {
    writer.subscription({
      name: row.name,
      cursor: Number(row.cursor),
      created_at: instantOf(row.created),
      definition: JSON.parse(row.definition) as SubscriptionDefinition,
      version: hexOf(row.version),
    });
    await writer.drain();
  }
  const deliveries = `
    SELECT s.name, d.position::text, d.topic, d.attempts,
        CASE WHEN d.lease IS NULL THEN d.reason ELSE '${REASON_LEASED}' END AS reason,
        CASE WHEN d.lease IS NULL AND d.due_at > now() THEN ${instantColumn('d.due_at')} END AS due,
        ${instantColumn('d.died_at')} AS died
      FROM sekali.deliveries d JOIN sekali.subscriptions s USING (subscription_id) ORDER BY s.name, d.position`;
  for await (const row of rowsOf<DeliveryRow>(session, deliveries)) {
    writer.delivery({
      subscription: row.name,
      position: Number(row.position),
      topic: row.topic,
      attempts: row.attempts,
      due_at: row.due === null ? undefined : instantOf(row.due),
      died_at: row.died === null ? undefined : instantOf(row.died),
      reason: row.reason ?? undefined,
    });
    await writer.drain();
  }
}
