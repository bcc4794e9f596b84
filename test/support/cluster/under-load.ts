import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { checkEvents, checkTotals, readPages, untilDrained } from './check-invariants.ts';
import type { Cluster } from './cluster.ts';
import { Follower, type Seen } from './follower.ts';
import type { Instance } from './instance.ts';
import { Load, type LoadOptions } from './load.ts';
import { StatsWatch } from './stats-watch.ts';

export interface UnderLoadOptions extends LoadOptions {
  /** Those that publishers and readers use; by default all. */
  front?: readonly Instance[];
  /** Those of them that are up in the end; by default all. */
  endFront?: readonly Instance[];
}

/**
 * Lets faults happen to a cluster while publishers publish, readers follow the log and /stats is read, on every instance; then
 * waits until all is acknowledged and processed, and checks every invariant.
 */
export async function underLoad(
  t: TestContext,
  cluster: Cluster,
  faults: (load: Load) => Promise<void>,
  { front = cluster.instances, endFront = front, ...options }: UnderLoadOptions = {},
): Promise<void> {
  const startedAt = performance.now();
  const seen: Seen = new Map();
  const load = new Load(front, options);
  const { known } = load;
  const followers = endFront.map(({ url }) => new Follower(url, seen, known.problems));
  const watch = new StatsWatch(
    front.map(({ url }) => url),
    known.problems,
  );
  await faults(load);
  await load.stop();
  const faultsMs = performance.now() - startedAt;
  await untilDrained(endFront[0]!);
  await watch.stop();

  const events = await readPages(endFront[0]!);
  checkEvents(events, known, seen);
  const positions = events.map(({ position }) => position);
  for (const follower of followers) {
    await follower.stopAt(positions.at(-1) ?? 0);
    assert.deepEqual(follower.positions, positions, 'a reader that followed missed events or saw some twice');
  }
  assert.deepEqual(known.problems, []);
  for (const instance of endFront) await checkTotals(instance, known, known.refusals + known.hangUps === 0);
  const { acknowledgedBatches, refusals, hangUps } = known;
  t.diagnostic(
    `${acknowledgedBatches} batches, ${positions.length} events, ${refusals} refusals, ${hangUps} hang-ups, ` +
      `${watch.reads} reads of /stats, faults ${Math.round(faultsMs)} ms, all ${Math.round(performance.now() - startedAt)} ms`,
  );
}
