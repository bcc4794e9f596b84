import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { checkEvents, checkTotals, readPages, untilDrained } from './check-invariants.ts';
import type { Cluster } from './cluster.ts';
import { Follower, type Seen } from './follower.ts';
import type { Instance } from './instance.ts';
import { Load, type LoadOptions } from './load.ts';
import { StatsWatch } from './stats-watch.ts';

export interface UnderLoadOptions extends LoadOptions {
  /** Those that publishers use; by default all. */
  front?: readonly Instance[];
  /** Those that are read, and are up in the end; by default all that publishers use. */
  readers?: readonly Instance[];
}

/** Publishers, readers that follow, and readers of /stats, all at once. */
class Traffic {
  readonly load: Load;
  readonly watch: StatsWatch;
  readonly followers: readonly Follower[];
  readonly seen: Seen = new Map();

  constructor(front: readonly Instance[], readers: readonly Instance[], options: LoadOptions) {
    this.load = new Load(front, options);
    const { problems } = this.load.known;
    const urls = readers.map(({ url }) => url);
    this.watch = new StatsWatch(urls, problems);
    this.followers = urls.map((url) => new Follower(url, this.seen, problems));
  }

  /** Lets go of all of them at once, so that after a failure nothing keeps the process of the tests alive. */
  abandon(): void {
    for (const each of [this.load, this.watch, ...this.followers]) each.abandon();
  }
}

/**
 * Lets faults happen to a cluster while publishers publish, readers follow the log and /stats is read, on every instance; then
 * waits until all is acknowledged and processed, checks every invariant, and stops the instances in peace.
 */
export async function underLoad(
  t: TestContext,
  cluster: Cluster,
  faults: (load: Load) => Promise<void>,
  { front = cluster.instances, readers = front, ...options }: UnderLoadOptions = {},
): Promise<void> {
  const startedAt = performance.now();
  const traffic = new Traffic(front, readers, options);
  try {
    await faults(traffic.load);
    await traffic.load.stop();
    const faultsMs = performance.now() - startedAt;
    await untilDrained(readers[0]!);
    await traffic.watch.stop();
    await checkAll(traffic, readers);
    t.diagnostic(
      `${summaryOf(traffic)}; ${inSeconds(faultsMs)}, with checks ${inSeconds(performance.now() - startedAt)}`,
    );
  } finally {
    traffic.abandon();
  }
  const codes = await Promise.all(readers.map(({ process }) => process.stop()));
  assert.ok(
    codes.every((code) => code === 0),
    `they ended with ${codes.join(', ')}`,
  );
}

async function checkAll(
  { load: { known }, followers, seen }: Traffic,
  readers: readonly Instance[],
): Promise<void> {
  assert.deepEqual(known.problems, []);
  const events = await readPages(readers[0]!);
  checkEvents(events, known, seen);
  const positions = events.map(({ position }) => position);
  for (const follower of followers) {
    await follower.stopAt(positions.at(-1) ?? 0);
    assert.deepEqual(follower.positions, positions, 'a reader that followed missed events or saw some twice');
  }
  assert.deepEqual(known.problems, []);
  for (const instance of readers) await checkTotals(instance, known, known.refusals + known.hangUps === 0);
}

function summaryOf({ load: { known }, watch, followers }: Traffic): string {
  const { acknowledgedBatches, refusals, hangUps } = known;
  const events = followers[0]?.positions.length ?? 0;
  return `${acknowledgedBatches} batches, ${events} events, ${refusals} refusals, ${hangUps} hang-ups, ${watch.reads} reads of /stats`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
