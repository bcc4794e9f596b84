import type { Retention, TopicRules } from '../../topic-rules.ts';
import type { SqlClient } from './connection.ts';
import { deleteRetired, isLeftForDrop, ROWS_A_BITE } from './delete-retired.ts';
import { dropPartition, finishDrops, isRetired } from './drop-partitions.ts';
import type { Bite } from './janitor.ts';
import { listPartitions, type Partition } from './partition-list.ts';

/** Time after which partitions are looked at again though nothing was retired since, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/**
 * Takes what is retired off the disk: partitions in which nothing else is left are dropped, in others the rows are deleted. Readers
 * see nothing of it.
 */
export class RetiredRows {
  readonly #rules: TopicRules<Retention>;
  /** What had been retired when all was last found done, and when that was. */
  #doneFor = '';
  #doneAtMs = Number.NEGATIVE_INFINITY;

  constructor(rules: TopicRules<Retention>) {
    this.#rules = rules;
  }

  /** Only one instance does it at a time. */
  async bite(client: SqlClient): Promise<Bite> {
    const horizon = await readHorizon(client);
    const partitions = await listPartitions(client);
    const settled = partitions.slice(0, -1).filter(({ end }) => end <= horizon + 1);
    const state = `${settled.length} ${await readRetired(client)}`;
    if (state === this.#doneFor && performance.now() < this.#doneAtMs + LOOK_EVERY_MS) return 'done';

    await finishDrops(client);
    for (const partition of partitions) {
      if (settled.includes(partition) && (await isRetired(client, partition))) {
        await dropPartition(client, partition);
        return 'worked';
      }
      if ((await this.#delete(client, partition)) === 'worked') return 'worked';
    }
    this.#doneFor = state;
    this.#doneAtMs = performance.now();
    return 'done';
  }

  async #delete(client: SqlClient, partition: Partition): Promise<Bite> {
    if (await isLeftForDrop(client, partition, this.#rules)) return 'done';
    return (await deleteRetired(client, partition)) === ROWS_A_BITE ? 'worked' : 'done';
  }
}

async function readHorizon(client: SqlClient): Promise<number> {
  const { rows } = await client.query('SELECT sekali.horizon_1()::text AS horizon');
  return Number(rows[0].horizon);
}

/** Something that changes whenever events are retired. */
async function readRetired(client: SqlClient): Promise<string> {
  const { rows } = await client.query('SELECT coalesce(sum(retired), 0)::text AS retired FROM sekali.topics');
  return rows[0].retired as string;
}
