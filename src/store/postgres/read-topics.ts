import type { TopicSummary } from '../store-reader.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import type { Read } from './read-pool.ts';

/** Topics by name. The counts of each are the sums over its slots, and its first and last event those of all of them. */
export async function readTopics(
  read: Read,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<TopicSummary[]> {
  const rows = await read(
    `SELECT t.topic, c.events, t.retired, c.duplicates, c.conflicts, c.first_position, c.last_position,
            ${instantColumn('c.first_at')}, ${instantColumn('c.last_at')}
       FROM sekali.topics t
       CROSS JOIN LATERAL (
         SELECT sum(events) AS events, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts,
                min(first_position) AS first_position, max(last_position) AS last_position,
                (array_agg(first_at ORDER BY first_position))[1] AS first_at,
                (array_agg(last_at ORDER BY last_position DESC NULLS LAST))[1] AS last_at
           FROM sekali.topic_counts WHERE topic_id = t.topic_id
       ) AS c
       WHERE t.topic > $1 AND c.events > 0
       ORDER BY t.topic LIMIT $2`,
    // Where U+0000 begins, which PostgreSQL refuses: of the topics that it has, the same ones come after it.
    [after?.split('\0', 1)[0] ?? '', limit],
  );
  return rows.map((row) => {
    const [topic, events, retired, duplicates, conflicts, first, last, firstAt, lastAt] = row as string[];
    return {
      topic: topic!,
      events: Number(events),
      retired: Number(retired),
      duplicates: Number(duplicates),
      conflicts: Number(conflicts),
      first_position: Number(first),
      last_position: Number(last),
      first_at: instantOf(firstAt!),
      last_at: instantOf(lastAt!),
    };
  });
}
