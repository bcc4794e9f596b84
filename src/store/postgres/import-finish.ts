import { SekaliError } from '../../errors.ts';
import { LineFault } from '../../transfer/read-members.ts';
import { sqlStateOf } from './connection.ts';
import type { LongTransaction } from './long-transaction.ts';
import { ensurePartitions } from './partitions.ts';

/** What has to be there. */
export interface ImportTotals {
  readonly lastConflict: number;
  readonly topics: number;
  readonly subscriptions: number;
  readonly deliveries: number;
  readonly events: number;
  readonly keys: number;
  /** Some keys last for a time only. */
  readonly hasExpiry: boolean;
}

/** The index of keys, the sequences, a last count, and the commit. */
export async function finishImport(session: LongTransaction, totals: ImportTotals): Promise<void> {
  // A key whose dedup window was over may have a later event: that one counts.
  const superseded = totals.hasExpiry ? await dropSuperseded(session) : 0;
  await indexKeys(session);
  await restartSequences(session, totals);
  const { rows } = await session.query({
    text: `SELECT (SELECT count(*) FROM sekali.events)::text, (SELECT count(*) FROM sekali.keys)::text,
      (SELECT count(*) FROM sekali.topics)::text, (SELECT count(*) FROM sekali.subscriptions)::text,
      (SELECT count(*) FROM sekali.deliveries)::text`,
    rowMode: 'array',
  });
  const found = (rows[0] as string[]).map(Number);
  const { events, keys, topics, subscriptions, deliveries } = totals;
  const wanted = [events, keys - superseded, topics, subscriptions, deliveries];
  if (found.some((count, i) => count !== wanted[i])) {
    throw new SekaliError(
      'internal',
      `the database has ${found.join(', ')} events, keys, topics, subscriptions and deliveries instead of ${wanted.join(', ')}; nothing was imported`,
    );
  }
  await session.query('COMMIT');
  await analyze(session);
}

/** It may take long, and is for speed alone: all is there already, and autovacuum does it by itself, within a minute or so. */
async function analyze(session: LongTransaction): Promise<void> {
  try {
    await session.query('SET statement_timeout = 0');
    await session.query('ANALYZE sekali.events, sekali.keys, sekali.topics');
  } catch {
    // As above.
  }
}

async function dropSuperseded(session: LongTransaction): Promise<number> {
  const { rows } = await session.query(`
    WITH dropped AS (
      DELETE FROM sekali.keys k USING sekali.keys later
        WHERE later.key = k.key AND later.position > k.position AND k.expires_at IS NOT NULL
        RETURNING 1
    ) SELECT count(*)::int AS count FROM dropped`);
  return (rows[0] as { count: number }).count;
}

const UNIQUE_VIOLATION = '23505';

async function indexKeys(session: LongTransaction): Promise<void> {
  await session.query('SAVEPOINT keys');
  try {
    await session.query('ALTER TABLE sekali.keys ADD CONSTRAINT keys_pkey PRIMARY KEY (key)');
  } catch (error) {
    if (!(error instanceof SekaliError) || sqlStateOf(error.cause) !== UNIQUE_VIOLATION) throw error;
    await session.query('ROLLBACK TO SAVEPOINT keys');
    const { rows } = await session.query(`
      SELECT min(position)::text AS first, max(position)::text AS second FROM sekali.keys
        GROUP BY key HAVING count(*) > 1 LIMIT 1`);
    const { first, second } = rows[0] as { first: string; second: string };
    throw new LineFault(`positions ${first} and ${second} have the same topic and event_id`);
  }
}

/** Gives out positions up to the last one, and makes the partitions for them. */
export async function restartPositions(session: LongTransaction, lastPosition: number): Promise<void> {
  if (lastPosition === 0) return;
  // Undone with the transaction, as `setval` would not be.
  await session.query(`ALTER SEQUENCE sekali.positions RESTART WITH ${lastPosition}`);
  await session.query("SELECT nextval('sekali.positions')");
  await ensurePartitions({ query: (text) => session.query(text) });
}

async function restartSequences(session: LongTransaction, totals: ImportTotals): Promise<void> {
  await session.query(`
    ALTER TABLE sekali.topics ALTER COLUMN topic_id RESTART WITH ${totals.topics + 1};
    ALTER TABLE sekali.conflicts ALTER COLUMN number RESTART WITH ${totals.lastConflict + 1};
    ALTER TABLE sekali.subscriptions ALTER COLUMN subscription_id RESTART WITH ${totals.subscriptions + 1};`);
}
