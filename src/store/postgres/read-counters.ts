import type { Counters } from '../store-reader.ts';
import type { Read } from './read-pool.ts';

/** All counters in one statement, which is one snapshot: the law that connects them holds in every answer. */
export async function readCounters(read: Read): Promise<Counters> {
  const rows = await read(`
    SELECT coalesce(sum(unique_processed), 0), coalesce(sum(duplicate_dropped), 0), coalesce(sum(conflicts), 0),
           coalesce(sum(rejected), 0), coalesce(sum(dead_lettered), 0),
           (SELECT json_object_agg(epoch, events)
              FROM (SELECT epoch, sum(events) AS events FROM sekali.consumed_counts GROUP BY epoch) AS c)
      FROM sekali.counters`);
  const [unique, duplicates, conflicts, rejected, deadLettered] = rows[0]!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    received: unique + duplicates + deadLettered,
    unique_processed: unique,
    duplicate_dropped: duplicates,
    conflicts,
    rejected,
    dead_lettered: deadLettered,
    consumed: JSON.parse(rows[0]![5] ?? '{}') as Record<string, number>,
  };
}
