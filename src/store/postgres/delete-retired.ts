import { type Retention, ruleFor, type TopicRules } from '../../topic-rules.ts';
import type { SqlClient } from './connection.ts';
import type { Partition } from './partition-list.ts';

/** Rows that one bite deletes at most. */
export const ROWS_A_BITE = 10_000;

/**
 * Deletes rows of retired events from a partition that stays for the sake of others, and says how many.
 *
 * Row by row, which costs about what inserting them did; a partition that goes as a whole costs nothing. So `isLeftForDrop` is asked
 * first.
 */
export async function deleteRetired(client: SqlClient, { table, first }: Partition): Promise<number> {
  const { rows } = await client.query({
    text: `WITH gone AS (
             DELETE FROM ${table} WHERE ctid = ANY (ARRAY (
               SELECT d.ctid FROM sekali.topics t CROSS JOIN LATERAL (
                 SELECT e.ctid FROM ${table} e WHERE e.topic_id = t.topic_id AND e.position < t.retired_before
                   ORDER BY e.position LIMIT ${ROWS_A_BITE}
               ) AS d WHERE t.retired_before > $1::bigint LIMIT ${ROWS_A_BITE}
             )) RETURNING 1)
           SELECT count(*)::int AS rows FROM gone`,
    values: [first],
  });
  return rows[0].rows as number;
}

/**
 * Whether a partition will go as a whole by itself: all its topics have the same limit, of age alone. That takes until its newest
 * event is too old, so in a partition that fills slowly what is twice as old as it may be is deleted all the same.
 */
export async function isLeftForDrop(
  client: SqlClient,
  { table }: Partition,
  rules: TopicRules<Retention>,
): Promise<boolean> {
  const ageS = commonAge(await topicsIn(client, table), rules);
  if (ageS === undefined) return false;
  const { rows } = await client.query({
    text: `SELECT processed_at > clock_timestamp() - make_interval(secs => $1) AS young
             FROM ${table} ORDER BY position LIMIT 1`,
    values: [2 * ageS],
  });
  return rows[0]?.young !== false;
}

function commonAge(topics: readonly string[], rules: TopicRules<Retention>): number | undefined {
  let common: number | undefined;
  for (const topic of topics) {
    const limits = ruleFor(rules, topic);
    if (limits?.ageS === undefined || limits.bytes !== undefined || limits.count !== undefined)
      return undefined;
    common ??= limits.ageS;
    if (limits.ageS !== common) return undefined;
  }
  return common;
}

/** The topics that have rows in a partition: one look into the index each, where DISTINCT would read all of it. */
async function topicsIn(client: SqlClient, table: string): Promise<string[]> {
  const { rows } = await client.query({
    text: `WITH RECURSIVE found (topic_id) AS (
             SELECT min(topic_id) FROM ${table}
             UNION ALL
             SELECT (SELECT min(e.topic_id) FROM ${table} e WHERE e.topic_id > found.topic_id)
               FROM found WHERE found.topic_id IS NOT NULL)
           SELECT topic FROM found JOIN sekali.topics USING (topic_id)`,
    rowMode: 'array',
  });
  return (rows as [string][]).map(([topic]) => topic);
}
