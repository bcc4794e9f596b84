import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import { exportEvents } from './export-events.ts';
import { exportConflicts, exportDeadLetters, exportKeys } from './export-rest.ts';
import { exportSubscriptions } from './export-subscriptions.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import { LongTransaction } from './long-transaction.ts';
import { readMeta } from './meta.ts';
import { checkSchema } from './migrate.ts';

/**
 * Writes all of a store as it is at one moment, also of one that is written to: the snapshot of one transaction. What is not
 * committed in it is missing as a whole, events, keys and counts.
 *
 * @throws SekaliError `store_unavailable`; `config_invalid`; `schema_newer`; `store_damaged`
 */
export async function exportPostgres(databaseUrl: string, writer: TransferWriter): Promise<void> {
  const session = await LongTransaction.open(
    databaseUrl,
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    checkSchema,
  );
  try {
    // Before anything is read, which is when the snapshot is taken; a lock takes none. Else retention might drop a partition
    // between the snapshot and the first look at events, whose topics would count what is gone.
    await session.query('LOCK TABLE sekali.events IN ACCESS SHARE MODE');
    const secrets = await readMeta(session.client);
    // Read after the snapshot was taken: no position in it is higher.
    const lastPosition = await readLastPosition(session);
    const { counters, consumed } = await readCounters(session);
    writer.header({ ...secrets, lastPosition, counters, consumed });
    await exportTopics(session, writer);
    await exportSubscriptions(session, writer);
    await exportEvents(session, writer, secrets);
    await exportKeys(session, writer);
    await exportConflicts(session, writer);
    await exportDeadLetters(session, writer);
    await writer.end();
  } finally {
    await session.close();
  }
}

async function readLastPosition(session: LongTransaction): Promise<number> {
  const { rows } = await session.query(
    'SELECT (CASE WHEN is_called THEN last_value ELSE 0 END)::text AS last FROM sekali.positions',
  );
  return Number((rows[0] as { last: string }).last);
}

const COUNTERS = ['unique_processed', 'duplicate_dropped', 'conflicts', 'rejected', 'dead_lettered'] as const;

async function readCounters(session: LongTransaction) {
  const sums = COUNTERS.map((name) => `coalesce(sum(${name}), 0)::text AS ${name}`).join(', ');
  const { rows } = await session.query(`SELECT ${sums} FROM sekali.counters`);
  const row = rows[0] as Record<(typeof COUNTERS)[number], string>;
  const epochs = await session.query(
    'SELECT epoch::text, sum(events)::text AS events FROM sekali.consumed_counts GROUP BY epoch',
  );
  return {
    counters: {
      unique_processed: Number(row.unique_processed),
      duplicate_dropped: Number(row.duplicate_dropped),
      conflicts: Number(row.conflicts),
      rejected: Number(row.rejected),
      dead_lettered: Number(row.dead_lettered),
    },
    consumed: Object.fromEntries(
      (epochs.rows as { epoch: string; events: string }[]).map(({ epoch, events }) => [
        epoch,
        Number(events),
      ]),
    ),
  };
}

/** All at once: a topic takes some hundred bytes. */
async function exportTopics(session: LongTransaction, writer: TransferWriter): Promise<void> {
  const { rows } = await session.query(`
    SELECT topic, retired::text, retired_bytes::text, retired_before::text, sum(events)::text AS events,
        sum(duplicates)::text AS duplicates, sum(conflicts)::text AS conflicts, sum(bytes)::text AS bytes,
        coalesce(min(first_position), 0)::text AS first_position, coalesce(max(last_position), 0)::text AS last_position,
        ${instantColumn('min(first_at)')} AS first_at, ${instantColumn('max(last_at)')} AS last_at
      FROM sekali.topics JOIN sekali.topic_counts USING (topic_id) GROUP BY topic_id ORDER BY topic_id`);
  for (const row of rows as Record<string, string>[]) {
    const count = (name: string) => Number(row[name]);
    writer.topic({
      topic: row['topic'] ?? '',
      events: count('events'),
      bytes: count('bytes'),
      duplicates: count('duplicates'),
      conflicts: count('conflicts'),
      retired: count('retired'),
      retired_bytes: count('retired_bytes'),
      retired_before: count('retired_before'),
      first_position: count('first_position'),
      last_position: count('last_position'),
      first_at: instantOf(row['first_at'] ?? '0'),
      last_at: instantOf(row['last_at'] ?? '0'),
    });
    await writer.drain();
  }
}
