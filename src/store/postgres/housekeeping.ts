import type { Retention, TopicRules } from '../../topic-rules.ts';
import { lockNumber } from './advisory-locks.ts';
import { type SqlClient, sqlStateOf } from './connection.ts';
import { deleteExpiredKeys, deleteOldEntries } from './delete-expired.ts';
import { ROWS_A_BITE } from './delete-retired.ts';
import { leaveConnection, openConnection } from './housekeeping-connection.ts';
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
  readonly #closing = new AbortController();
  #client: SqlClient | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const rules = options.retention ?? [];
    const retention = new RetentionSweep(rules);
    const retiredRows = new RetiredRows(rules, retention);
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
    if (this.#closing.signal.aborted) return 'done';
    try {
      this.#client ??= await openConnection(this.#options.databaseUrl, this.#closing.signal);
      this.#closing.signal.throwIfAborted();
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

  /** What a bite waits for fails with the connection: the server undoes the statement, or ends it. */
  async close(): Promise<void> {
    this.#closing.abort();
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
      // Not an answer of the server, so the others would wait for one too, each until its time is over.
      if (failures.length > 0 && sqlStateOf(failures.at(-1)) === undefined) break;
    }
    if (failures.length > 0) throw failures[0];
    await client.query(`SELECT pg_advisory_unlock(${lock})`);
    return outcome;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await leaveConnection(client);
  }
}

function inBites(deleteSome: (client: SqlClient) => Promise<number>): Chore {
  return async (client) => ((await deleteSome(client)) === ROWS_A_BITE ? 'worked' : 'done');
}
