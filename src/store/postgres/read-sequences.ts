import type { SequencedEvent, SequencePage, SequenceQuery } from '../store-reader.ts';
import { instantColumn, instantOf } from './instant-column.ts';
import { IS_KEPT, isStorable, readTopicId } from './read-events.ts';
import type { Read } from './read-pool.ts';

type Search = Omit<SequenceQuery, 'topic'> & { readonly topicId: string | undefined };

/** Events that one page looks at, whether or not they have a sequence. */
const LOOKED_AT_MAX = 20_000;

/**
 * Events up to the horizon that have a sequence.
 *
 * First, in the index alone, how far this page looks; then what there is up to there. At the end that is where the last event lies, never
 * the horizon: positions between the two that nobody stored anything at may be given again (horizon.ts).
 */
export async function readSequences(
  read: Read,
  query: SequenceQuery,
  horizon: number,
  lookedAtMax = LOOKED_AT_MAX,
): Promise<SequencePage> {
  if (!isStorable(query.topic) || !isStorable(query.source)) {
    return { events: [], through: query.after, isAtEnd: true };
  }
  const topicId = query.topic === undefined ? undefined : await readTopicId(read, query.topic);
  if (query.topic !== undefined && topicId === undefined) {
    return { events: [], through: query.after, isAtEnd: true };
  }
  const search = { ...query, topicId };
  const { end, isAtEnd } = await readEnd(read, search, horizon, lookedAtMax);
  const events = end > query.after ? await readMatching(read, search, end) : [];
  // A page that is full may have left some out.
  const last = events[query.limit - 1];
  return last === undefined
    ? { events, through: end, isAtEnd }
    : { events, through: last.position, isAtEnd: false };
}

/** Where the last event is that a page looks at. */
async function readEnd(
  read: Read,
  { topicId, after }: Search,
  horizon: number,
  lookedAtMax: number,
): Promise<{ end: number; isAtEnd: boolean }> {
  const { where, values } = conditions({ topicId, source: undefined });
  const rows = await read(
    `SELECT max(position), count(*) FROM (
       SELECT position FROM sekali.events e WHERE ${where} ORDER BY position LIMIT ${lookedAtMax}
     ) AS looked_at`,
    [after, horizon, ...values],
  );
  const [end, count] = rows[0]!;
  return { end: Number(end ?? after), isAtEnd: Number(count) < lookedAtMax };
}

async function readMatching(
  read: Read,
  { after, limit, ...filter }: Search,
  end: number,
): Promise<SequencedEvent[]> {
  const { where, values } = conditions(filter);
  const rows = await read(
    `SELECT position, (SELECT topic FROM sekali.topics t WHERE t.topic_id = e.topic_id), source, sequence,
         ${instantColumn('processed_at')}
       FROM sekali.events e WHERE ${where} AND sequence IS NOT NULL AND ${IS_KEPT}
       ORDER BY position LIMIT ${limit}`,
    [after, end, ...values],
  );
  return rows.map(toSequenced);
}

/** Above position $1 and up to $2; the values are those of $3 and on. */
function conditions({ topicId, source }: Pick<Search, 'topicId' | 'source'>): {
  where: string;
  values: string[];
} {
  const values: string[] = [];
  const parts = ['position > $1::bigint', 'position <= $2::bigint'];
  const add = (condition: (parameter: string) => string, value: string | undefined): void => {
    if (value !== undefined) parts.push(condition(`$${values.push(value) + 2}`));
  };
  add((p) => `topic_id = ${p}::integer`, topicId);
  add((p) => `source = ${p}`, source);
  return { where: parts.join(' AND '), values };
}

function toSequenced(row: readonly (string | null)[]): SequencedEvent {
  const [position, topic, source, sequence, processedAt] = row as string[];
  return {
    position: Number(position),
    topic: topic!,
    source: source!,
    sequence: Number(sequence),
    processed_at: instantOf(processedAt!),
  };
}
