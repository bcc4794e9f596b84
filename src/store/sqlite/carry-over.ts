import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Instant } from '../../instant.ts';
import { KeyHasher } from '../dedup/key.ts';
import { checksumOf, KeyLogWriter } from '../dedup/key-log.ts';
import { EventPack } from '../event-pack.ts';
import { packEvent } from '../pack-event.ts';
import { BlockInserter } from './insert-blocks.ts';
import { instantColumns, instantOf } from './instant-column.ts';
import { readMeta, sealMeta } from './meta.ts';

/** Events that are carried over together, and bytes of them after which there are enough. */
const AT_ONCE = 1000;
const AT_ONCE_BYTES = 4 * 1024 * 1024;

/**
 * Carries the events of schema 1, a row each, over into blocks, and computes their keys. In the transaction of the migration:
 * all of them or none.
 */
export function carryOver(db: DatabaseSync): void {
  sealMeta(db);
  const { keySecret, contentSeed } = readMeta(db);
  const hasher = new KeyHasher(keySecret);
  const blocks = new BlockInserter(db);
  const keys = new KeyLogWriter();
  const insertKeys = db.prepare('INSERT INTO keys (first_position, entries, checksum) VALUES (?, ?, ?)');
  const pack = new EventPack();
  let first = 1;
  let topicIds: number[] = [];
  let storedAt: Instant = 0;

  const flush = () => {
    if (pack.length === 0) return;
    blocks.begin(pack, topicIds, storedAt);
    keys.clear();
    for (let i = 0; i < pack.length; i++) {
      blocks.add(i, first + i);
      keys.add(pack, i, 0);
    }
    insertKeys.run(first, keys.entries(), checksumOf(keys.entries(), null));
    first += pack.length;
    blocks.flush(first - 1);
    pack.clear();
    topicIds = [];
  };

  const rows = db.prepare(`
    SELECT topic_id, topic, event_id, source, payload, sequence,
      ${instantColumns('timestamp_us', 'timestamp')}, ${instantColumns('processed_at_us', 'stored')}
    FROM old_events JOIN topics USING (topic_id) ORDER BY position`);
  for (const row of rows.iterate()) {
    const at = instantOf(row['stored_s'], row['stored_micros']);
    if (pack.length === AT_ONCE || pack.bytesUsed > AT_ONCE_BYTES || at !== storedAt) flush();
    storedAt = at;
    packEvent(pack, toEvent(row), hasher, contentSeed);
    topicIds[pack.topics.indexOf(row['topic'] as string)] = row['topic_id'] as number;
  }
  flush();
  blocks.noteTopics(first - 1);
  db.exec(`
    UPDATE topics SET bytes = (SELECT sum(bytes) FROM topic_blocks WHERE topic_blocks.topic_id = topics.topic_id);
    DROP TABLE old_events;
  `);
}

function toEvent(row: Record<string, SQLOutputValue>) {
  return {
    topic: row['topic'] as string,
    event_id: row['event_id'] as string,
    timestamp: instantOf(row['timestamp_s'], row['timestamp_micros']),
    source: row['source'] as string,
    payload: row['payload'] as string,
    sequence: (row['sequence'] as number | null) ?? undefined,
  };
}
