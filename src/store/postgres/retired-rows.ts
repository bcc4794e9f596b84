import type { Retention, TopicRules } from '../../topic-rules.ts';
import type { SqlClient } from './connection.ts';
import { deleteRetired, isLeftForDrop, ROWS_A_BITE } from './delete-retired.ts';
import { dropPartition, finishDrops, isRetired } from './drop-partitions.ts';
import { readHorizon } from './horizon.ts';
import type { Bite } from './janitor.ts';
import { listPartitions, type Partition } from './partition-list.ts';
import { readVia } from './read-pool.ts';

/** Time after which partitions are looked at again though nothing was retired here since, in milliseconds: others retire too. */
const LOOK_EVERY_MS = 60_000;

/**
 * Takes what is retired off the disk: partitions in which nothing else is left are dropped, in others the rows are deleted. Readers
 * see nothing of it.
 */
export class RetiredRows {
  readonly #rules: TopicRules<Retention>;
  readonly #sweep: { readonly retired: number };
  /** How many events had been retired here when all was last found done, and when that was. */
  #doneFor: number | undefined;
  #doneAtMs = 0;

  /** @param sweep says how many events were retired here */
  constructor(rules: TopicRules<Retention>, sweep: { readonly retired: number }) {
    this.#rules = rules;
    this.#sweep = sweep;
  }

  /** Only one instance does it at a time. */
  async bite(client: SqlClient): Promise<Bite> {
    const { retired } = this.#sweep;
    if (retired === this.#doneFor && performance.now() < this.#doneAtMs + LOOK_EVERY_MS) return 'done';

    await finishDrops(client);
    const horizon = await readHorizon(readVia(client));
    for (const [partition, isLast] of await partitionsBelow(client, await readRetiredBefore(client))) {
      if (!isLast && partition.end <= horizon + 1 && (await isRetired(client, partition))) {
        await dropPartition(client, partition);
        return 'worked';
      }
      if ((await this.#delete(client, partition)) === 'worked') return 'worked';
    }
    this.#doneFor = retired;
    this.#doneAtMs = performance.now();
    return 'done';
  }

  async #delete(client: SqlClient, partition: Partition): Promise<Bite> {
    if (await isLeftForDrop(client, partition, this.#rules)) return 'done';
    return (await deleteRetired(client, partition)) === ROWS_A_BITE ? 'worked' : 'done';
  }
}

/** Nothing at this position or above it was ever retired. */
async function readRetiredBefore(client: SqlClient): Promise<number> {
  const { rows } = await client.query(
    'SELECT coalesce(max(retired_before), 1)::text AS before FROM sekali.topics',
  );
  return Number(rows[0].before);
}

/** Those in which something may be retired, and whether each is the last of all. */
async function partitionsBelow(
  client: SqlClient,
  position: number,
): Promise<[partition: Partition, isLast: boolean][]> {
  const partitions = position === 1 ? [] : await listPartitions(client);
  return partitions.flatMap((partition) =>
    partition.first < position ? [[partition, partition === partitions.at(-1)]] : [],
  );
}
