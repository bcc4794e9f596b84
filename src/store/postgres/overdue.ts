import type { Retention } from '../../topic-rules.ts';
import type { SqlClient } from './connection.ts';

/** A topic, what it has, and what it may have. */
export interface LimitedTopic {
  readonly topicId: number;
  readonly retiredBefore: number;
  /** That are not retired; bytes of their ids, sources and payloads. */
  readonly events: number;
  readonly bytes: number;
  readonly limits: Retention;
}

const LIMITED = 'unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])';
const COLUMNS = 'topic_id, retired_before, too_many, too_much, age_s';

function toArrays(topics: readonly LimitedTopic[]): unknown[] {
  return [
    topics.map(({ topicId }) => topicId),
    topics.map(({ retiredBefore }) => retiredBefore),
    topics.map(({ events, limits }) => (limits.count === undefined ? 0 : events - limits.count)),
    topics.map(({ bytes, limits }) => (limits.bytes === undefined ? 0 : bytes - limits.bytes)),
    topics.map(({ limits }) => limits.ageS ?? null),
  ];
}

const IS_TOO_OLD = 'coalesce(processed_at < clock_timestamp() - make_interval(secs => r.age_s), false)';

export interface Overdue {
  /** Those that are over a limit. */
  readonly topics: readonly LimitedTopic[];
  /** Seconds after which the first of the others has an event that is too old; infinite where none ever has. */
  readonly nextInS: number;
}

/** Which of some topics are over a limit, and when the next one will be if nothing more is stored. */
export async function findOverdue(client: SqlClient, topics: readonly LimitedTopic[]): Promise<Overdue> {
  const { rows } = await client.query({
    text: `SELECT topic_id, too_many > 0 OR too_much > 0 OR coalesce(left_s < 0, false), left_s FROM (
             SELECT r.*, CASE WHEN r.age_s IS NOT NULL THEN (
                 SELECT (extract(epoch FROM processed_at - clock_timestamp()) + r.age_s)::float8 FROM sekali.events e
                   WHERE e.topic_id = r.topic_id AND e.position >= r.retired_before ORDER BY e.position LIMIT 1) END AS left_s
               FROM ${LIMITED} AS r (${COLUMNS})
           ) AS looked_at`,
    values: toArrays(topics),
    rowMode: 'array',
  });
  const overdue = new Set<number>();
  let nextInS = Number.POSITIVE_INFINITY;
  for (const [topicId, isOver, leftS] of rows as [number, boolean, number | null][]) {
    if (isOver) overdue.add(topicId);
    else if (leftS !== null) nextInS = Math.min(nextInS, leftS);
  }
  return { topics: topics.filter(({ topicId }) => overdue.has(topicId)), nextInS };
}

/**
 * Retires what is over the limits of some topics, of each at most `eventsMax`: its oldest events, until one is met that may stay;
 * with that, all that is newer stays too. Nothing above the horizon: below it nothing more comes in, so what is retired has
 * been counted.
 *
 * @returns how many events were retired of each topic of which any were
 */
export async function retire(
  client: SqlClient,
  topics: readonly LimitedTopic[],
  { horizon, eventsMax }: { readonly horizon: number; readonly eventsMax: number },
): Promise<number[]> {
  const { rows } = await client.query({
    text: `
      UPDATE sekali.topics t SET
          retired_before = o.before, retired = t.retired + o.events, retired_bytes = t.retired_bytes + o.bytes
        FROM ${LIMITED} AS r (${COLUMNS})
        CROSS JOIN LATERAL (
          SELECT max(position) + 1 AS before, count(*) AS events, sum(bytes) AS bytes FROM (
            SELECT position, bytes, bool_and(is_over) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS goes FROM (
              SELECT position, bytes,
                  row_number() OVER w <= r.too_many OR sum(bytes) OVER w - bytes < r.too_much OR ${IS_TOO_OLD} AS is_over
                FROM (
                  SELECT position, processed_at,
                      octet_length(event_id) + octet_length(source) + octet_length(payload) AS bytes
                    FROM sekali.events e
                    WHERE e.topic_id = r.topic_id AND e.position >= r.retired_before AND e.position <= $6::bigint
                    ORDER BY e.position LIMIT $7::bigint
                ) AS oldest
                WINDOW w AS (ORDER BY position ROWS UNBOUNDED PRECEDING)
            ) AS judged
          ) AS taken WHERE goes
        ) AS o
        WHERE t.topic_id = r.topic_id AND o.events > 0
        RETURNING o.events::int`,
    values: [...toArrays(topics), horizon, eventsMax],
    rowMode: 'array',
  });
  return (rows as [number][]).map(([events]) => events);
}
