import type { DatabaseSync } from 'node:sqlite';
import type { TransferTopic } from '../../transfer/records.ts';
import type { TransferWriter } from '../../transfer/transfer-writer.ts';
import type { CheckedFile } from '../dedup/generation-load.ts';
import { CounterReader } from './count-events.ts';
import { EventExport } from './export-events.ts';
import { KeyExpiry } from './export-expiry.ts';
import { damage, IndexEntries } from './export-keys.ts';
import { exportSubscriptions } from './export-subscriptions.ts';
import { instantColumns, instantOf } from './instant-column.ts';
import { readMeta } from './meta.ts';
import { ConflictReader } from './read-conflicts.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';
import { holdSubscriptions } from './subscription-database.ts';
import { openerFor } from './verify/sealed-keys.ts';

/** Conflicts and topics that are read at once. */
const PAGE = 1000;

export interface SqliteExportOptions {
  readonly dataDir: string;
  readonly writer: TransferWriter;
  /** For tests: how many positions are held in memory at once. */
  readonly span?: number | undefined;
}

/**
 * Writes all of a store as it is at one moment (snapshot.ts), also of one that a server writes to. The moment of the subscriptions
 * begins before that of the events, so that no cursor is beyond them.
 *
 * @throws SekaliError `config_invalid`: there is no store; `store_damaged`; `schema_newer`; `store_unavailable`
 */
export async function exportSqlite({ dataDir, writer, span }: SqliteExportOptions): Promise<void> {
  const subscriptions = holdSubscriptions(dataDir);
  try {
    const snapshot = openSnapshot(dataDir, openerFor);
    try {
      await writeAll(snapshot, { subscriptions, writer, span });
    } finally {
      snapshot.close();
    }
  } finally {
    if (subscriptions?.isOpen) subscriptions.close();
  }
}

type ExportSnapshot = Snapshot<CheckedFile>;

interface Parts {
  readonly subscriptions: DatabaseSync | undefined;
  readonly writer: TransferWriter;
  readonly span: number | undefined;
}

async function writeAll(snapshot: ExportSnapshot, { subscriptions, writer, span }: Parts): Promise<void> {
  const { db } = snapshot;
  const counters = new CounterReader(db);
  const lastPosition = counters.lastPosition();
  const { unique_processed, duplicate_dropped, conflicts, rejected } = counters.counters();
  writer.header({
    ...readMeta(db),
    lastPosition,
    counters: { unique_processed, duplicate_dropped, conflicts, rejected, dead_lettered: 0 },
    consumed: {},
  });
  const topics = await writeTopics(db, writer);
  if (subscriptions !== undefined) {
    await exportSubscriptions(subscriptions, writer, lastPosition);
    // Before the events, which take longer: its log cannot begin anew meanwhile.
    subscriptions.close();
  }
  const expiry = new KeyExpiry(db);
  const index = new IndexEntries(snapshot);
  const events = new EventExport({ db, index, expiry, writer, lastPosition, span });
  await events.run();
  for (const [topicId, expected] of topics) {
    const written = events.perTopic.get(topicId) ?? 0;
    if (written !== expected)
      throw damage(`topic ${topicId} has ${written} events, and ${expected} are counted`);
  }
  await writeConflicts(db, writer);
  await writer.end();
}

/** @returns how many events each topic must have */
async function writeTopics(db: DatabaseSync, writer: TransferWriter): Promise<Map<number, number>> {
  const expected = new Map<number, number>();
  const rows = db.prepare(`
    SELECT topic_id, topic, events, bytes, duplicates, conflicts, retired, retired_bytes, max(retired_before, 1) AS retired_before,
      first_position, last_position, ${instantColumns('first_at_us', 'first')}, ${instantColumns('last_at_us', 'last')}
    FROM topics ORDER BY topic_id`);
  for (const row of rows.iterate()) {
    const { topic_id, first_s, first_micros, last_s, last_micros, ...counts } = row;
    const topic = {
      ...counts,
      first_at: instantOf(first_s, first_micros),
      last_at: instantOf(last_s, last_micros),
    } as TransferTopic;
    writer.topic(topic);
    expected.set(topic_id as number, topic.events - topic.retired);
    await writer.drain();
  }
  return expected;
}

async function writeConflicts(db: DatabaseSync, writer: TransferWriter): Promise<void> {
  const reader = new ConflictReader(db);
  const numbers = db.prepare('SELECT number FROM conflicts WHERE number > ? ORDER BY number LIMIT ?');
  for (let last = 0; ; ) {
    const page = numbers.all(last, PAGE);
    const before = page.at(-1)?.['number'] as number | undefined;
    if (before === undefined) return;
    const conflicts = reader.page({ before: before + 1, limit: page.length });
    for (const conflict of conflicts.reverse()) writer.conflict(conflict);
    last = before;
    await writer.drain();
  }
}
