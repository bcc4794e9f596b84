import { patternExpression } from '../../topic-filter.ts';
import type { EventQuery } from '../store-reader.ts';
import { isStorable } from './read-events.ts';
import type { Read } from './read-pool.ts';

const COUNT = 'SELECT count(*) FROM sekali.events e WHERE e.topic_id = t.topic_id AND e.position';

/**
 * How many events match, above a position and up to the horizon.
 *
 * Of each topic whatever is fewer is counted, in the index: the events above the position, or those below it, which are then taken
 * from what the topic has by its counts. So what a subscription lacks is told quickly while it is nearly done, and while it has
 * hardly begun. Both are of one statement, which is one snapshot, and counts change in the transaction of their events.
 */
export async function countEvents(
  read: Read,
  { topic, patterns, after = 0 }: Pick<EventQuery, 'topic' | 'patterns' | 'after'>,
  horizon: number,
): Promise<number> {
  if (!isStorable(topic)) return 0;
  const [which, wanted] = topicCondition(topic, patterns);
  const rows = await read(
    `SELECT coalesce(sum(CASE
         WHEN s.after - s.first < s.last - s.after
           THEN s.kept - (${COUNT} BETWEEN t.retired_before AND s.after) - (${COUNT} > $2::bigint)
         ELSE (${COUNT} > s.after AND e.position <= $2::bigint)
       END), 0)
       FROM sekali.topics t
       CROSS JOIN LATERAL (
         SELECT sum(events) - t.retired AS kept, greatest($1::bigint, t.retired_before - 1) AS after,
                greatest(min(first_position), t.retired_before) AS first, max(last_position) AS last
           FROM sekali.topic_counts c WHERE c.topic_id = t.topic_id
       ) AS s
       WHERE s.last > s.after AND ${which}`,
    [after, horizon, ...wanted],
  );
  return Number(rows[0]![0]);
}

function topicCondition(
  topic: string | undefined,
  patterns: readonly string[] | undefined,
): [sql: string, values: unknown[]] {
  if (topic !== undefined) return ['t.topic = $3', [topic]];
  if (patterns === undefined) return ['true', []];
  return ['t.topic ~ ANY ($3::text[])', [patterns.filter(isStorable).map(patternExpression)]];
}
