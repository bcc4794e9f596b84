import type { Retention, TopicRules } from '../../topic-rules.ts';
import { lockNumber } from './advisory-locks.ts';
import { connect, type SqlClient } from './connection.ts';
import { deleteExpiredKeys, deleteOldEntries } from './delete-expired.ts';
import { ROWS_A_BITE } from './delete-retired.ts';
import type { Bite, JanitorWork } from './janitor.ts';
import { ensurePartitions } from './partitions.ts';
import { RetentionSweep } from './retention.ts';
import { RetiredRows } from './retired-rows.ts';

export interface HousekeepingOptions {
  readonly databaseUrl: string;
  readonly retention?: TopicRules<Retention> | undefined;
  readonly partitionPositions?: number | undefined;
  /** It fails for this reason, which is not the reason of the time before; it goes on trying. */
  onFailure(reason: string): void;
}

/**
 * Others are waited for no longer than this. And the plans are those that stay cheap whatever the statistics say: an index, read
 * in its order. (With sorts of all that a topic has, for its oldest hundred, the median bite took 1050 ms, and 85 without, at a million events.)
 */
const SETTINGS = `
  SET lock_timeout = '2s';
  SET enable_seqscan = off;
  SET enable_bitmapscan = off;
  SET enable_sort = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET jit = off`;

type Chore = (client: SqlClient) => Promise<Bite>;

/**
 * What has to be done in the database now and then: partitions are made ahead, events are retired, and what is over is deleted.
 *
 * Any number of instances may have it; a lock sees to it that one at a time does a bite. It has a connection of its own, which is
 * opened again after a failure, and every bite leaves the database as whole as it was.
 */
export class Housekeeping implements JanitorWork {
  readonly #options: HousekeepingOptions;
  readonly #chores: readonly Chore[];
  #client: SqlClient | undefined;
  #isClosed = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const rules = options.retention ?? [];
    const retention = new RetentionSweep(rules);
    const retiredRows = new RetiredRows(rules);
    this.#chores = [
      async (client) => {
        await ensurePartitions(client, options);
        return 'done';
      },
      (client) => retention.bite(client),
      (client) => retiredRows.bite(client),
      inBites(deleteExpiredKeys),
      inBites(deleteOldEntries),
    ];
  }

  /** Does a bite of each chore. @returns `done` when none has anything left, or another instance is at it */
  async bite(): Promise<Bite> {
    if (this.#isClosed) return 'done';
    try {
      this.#client ??= await open(this.#options.databaseUrl);
      return await this.#biteOf(this.#client);
    } catch (error) {
      // With it goes the lock.
      await this.#disconnect();
      throw error;
    }
  }

  onFailure(reason: string): void {
    this.#options.onFailure(reason);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#disconnect();
  }

  async #biteOf(client: SqlClient): Promise<Bite> {
    const lock = lockNumber('retention');
    // Of the session, not of a transaction: a partition is dropped in several.
    const { rows } = await client.query(`SELECT pg_try_advisory_lock(${lock}) AS locked`);
    if (rows[0].locked !== true) return 'done';
    let outcome: Bite = 'done';
    const failures: unknown[] = [];
    for (const chore of this.#chores) {
      // One that fails, for somebody is in its way, does not keep the others from their turn.
      const bite = await chore(client).catch((error: unknown) => void failures.push(error));
      if (bite === 'worked') outcome = 'worked';
    }
    if (failures.length > 0) throw failures[0];
    await client.query(`SELECT pg_advisory_unlock(${lock})`);
    return outcome;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }
}

function inBites(deleteSome: (client: SqlClient) => Promise<number>): Chore {
  return async (client) => ((await deleteSome(client)) === ROWS_A_BITE ? 'worked' : 'done');
}

async function open(databaseUrl: string): Promise<SqlClient> {
  const client = await connect(databaseUrl);
  await client.query(SETTINGS);
  return client;
}
