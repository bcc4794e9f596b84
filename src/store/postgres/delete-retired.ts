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
  const ageS = await commonAge(client, table, rules);
  if (ageS === undefined) return false;
  const { rows } = await client.query({
    text: `SELECT processed_at > clock_timestamp() - make_interval(secs => $1) AS young
             FROM ${table} ORDER BY position LIMIT 1`,
    values: [2 * ageS],
  });
  return rows[0]?.young !== false;
}

async function commonAge(
  client: SqlClient,
  table: string,
  rules: TopicRules<Retention>,
): Promise<number | undefined> {
  if (!rules.some(({ limits }) => ofAgeAlone(limits) !== undefined)) return undefined;
  let common: number | undefined;
  for await (const topic of topicsIn(client, table)) {
    const ageS = ofAgeAlone(ruleFor(rules, topic));
    common ??= ageS;
    if (ageS === undefined || ageS !== common) return undefined;
  }
  return common;
}

function ofAgeAlone(limits: Retention | undefined): number | undefined {
  return limits?.bytes === undefined && limits?.count === undefined ? limits?.ageS : undefined;
}

/** Topics that are looked up at once: whoever asks may know enough after the first. */
const TOPICS_AT_ONCE = 100;

/** The topics that have rows in a partition: one look into the index each, where DISTINCT would read all of it. */
async function* topicsIn(client: SqlClient, table: string): AsyncGenerator<string> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { rows } = await client.query({
      text: `WITH RECURSIVE found (topic_id, number) AS (
               SELECT min(topic_id), 1 FROM ${table} WHERE topic_id > $1::int
               UNION ALL
               SELECT (SELECT min(e.topic_id) FROM ${table} e WHERE e.topic_id > found.topic_id), number + 1
                 FROM found WHERE found.topic_id IS NOT NULL AND number < ${TOPICS_AT_ONCE})
             SELECT topic_id, (SELECT topic FROM sekali.topics t WHERE t.topic_id = found.topic_id)
               FROM found WHERE topic_id IS NOT NULL ORDER BY number`,
      values: [after],
      rowMode: 'array',
    });
    const found = rows as [number, string | null][];
    for (const [, topic] of found) if (topic !== null) yield topic;
    after = found.length === TOPICS_AT_ONCE ? found.at(-1)?.[0] : undefined;
  }
}
