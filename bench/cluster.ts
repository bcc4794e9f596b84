/**
 * `npm run bench:cluster`: Sekali in front of PostgreSQL, and of Redis and PostgreSQL with two instances, all of them and the
 * load generator on this machine. Each round has fresh servers, rounds in turn (A B C A B C …), then one long run. What to
 * install: bench/peers/README.md, without NATS. Takes about fifteen minutes and 10 GB of disk where `BENCH_DIR` says (or the
 * system's temporary directory). `--events N`, `--flat N`, `--rounds N` for a smaller trial, `--workers N` for each
 * instance, `--only WORD` for a look at one part, whose result is not written. Writes bench/results/cluster.json, the
 * charts and the README's figures.
 */
import { parseArgs } from 'node:util';
import { Cluster, type ClusterShape } from './cluster/cluster.ts';
import { measureClusterDisk } from './cluster/disk.ts';
import { type ClusterRound, type ClusterScenario, LoadedCluster } from './cluster/loaded-cluster.ts';
import { type ProbeResult, Prober } from './cluster/prober.ts';
import { ratePoints } from './cluster/rate.ts';
import {
  type ClusterReport,
  clusterFiguresOf,
  type FlatFigures,
  judgeCluster,
  readableFiguresOf,
} from './cluster/report.ts';
import { drawCharts } from './draw.ts';
import { writeFigures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { missingPostgres, postgresVersion } from './programs/postgres.ts';
import { missingRedis, redisVersion } from './programs/redis.ts';
import { writeReport } from './report.ts';
import { atRate, newSeed } from './scenario.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    flat: { type: 'string', default: '5000000' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const argv = process.argv.slice(2);
const ROUNDS = Number(values.rounds);
const FLAT_EVENTS = wholeBatches(values.flat);
const HALF_RATE_SECONDS = 15;

/**
 * In the long run the queue is kept short, and more is sent than is measured: so publishers and workers share the machine in
 * the same way from beginning to end, and no part is stored faster because nothing is sent any more.
 */
const FLAT_BACKLOG_BYTES = 32 * 1024 * 1024;
const FLAT_BEYOND = 250_000;

const ALONE: ClusterShape = { instances: 1, hasQueue: false, workers: 0 };
const SCALED_OUT: ClusterShape = { instances: 2, hasQueue: true, workers: Number(values.workers) };

const STORED: ClusterScenario = {
  name: 'PostgreSQL alone, answered when stored, batches of 500',
  ack: 'stored',
  events: wholeBatches(values.events),
  batch: 500,
  connections: 16,
  duplicates: 0,
};
const REPEATED: ClusterScenario = {
  ...STORED,
  name: 'PostgreSQL alone, half duplicates, answered when stored, batches of 500',
  duplicates: 0.5,
};
const QUEUED: ClusterScenario = {
  ...STORED,
  name: 'Redis, PostgreSQL and two instances, answered when queued, batches of 500',
  ack: 'queued',
};
const HALF_RATE: ClusterScenario = {
  ...QUEUED,
  name: 'half of the rate from end to end, batches of 100',
  batch: 100,
};
const FLAT: ClusterScenario = { ...QUEUED, name: 'one long run', events: FLAT_EVENTS + FLAT_BEYOND };

const why = missingPostgres() ?? missingRedis();
if (why !== undefined) throw new Error(`${why}: bench/peers/README.md says what to install`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const stored: ClusterRound[] = [];
const repeated: ClusterRound[] = [];
const queued: ClusterRound[] = [];
const readable: ProbeResult[] = [];
const halfRates: number[] = [];

for (let round = 1; round <= ROUNDS; round++) {
  say(`round ${round}/${ROUNDS}`);
  if (wants('stored')) stored.push(await onCluster(ALONE, (loaded) => measure(loaded, STORED)));
  if (wants('repeated')) repeated.push(await onCluster(ALONE, (loaded) => measure(loaded, REPEATED)));
  if (wants('queued')) await onCluster(SCALED_OUT, measureQueued);
}
if (values.only === undefined) await report();
else if (wants('flat')) await measureFlat();

async function report(): Promise<void> {
  const { flat, settings } = await measureFlat();
  const figures = {
    stored: clusterFiguresOf(STORED, stored),
    repeated: clusterFiguresOf(REPEATED, repeated),
    queued: clusterFiguresOf(QUEUED, queued),
    readable: readableFiguresOf(halfRates, readable),
    flat,
  };
  const report: ClusterReport = {
    command: ['npm run bench:cluster', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' '),
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    postgres: postgresVersion(),
    redis: redisVersion(),
    settings,
    shape: SCALED_OUT,
    ...figures,
    targets: judgeCluster(figures),
  };
  writeReport('cluster', report);
  drawCharts();
  writeFigures();
  for (const { what, figure, met } of report.targets) say(`${met ? 'met   ' : 'MISSED'} ${what}: ${figure}`);
}

/** As fast as it goes; then, on the same data, at half of the rate that came of it, with probes. */
async function measureQueued(loaded: LoadedCluster): Promise<void> {
  const full = await measure(loaded, QUEUED);
  queued.push(full);
  const paced = { ...atRate(HALF_RATE, full.storedPerSecond / 2, HALF_RATE_SECONDS), ack: 'queued' } as const;
  const [publishUrl, readUrl = publishUrl] = loaded.cluster.urls;
  await measure(loaded, paced, async (signal) => {
    const result = await new Prober(publishUrl, readUrl).run(signal);
    const { probes, fromAnswerMs, fromSendMs } = result;
    say(
      `  ${probes} probes, readable after ${text(fromAnswerMs)} from the answer, ${text(fromSendMs)} from the request`,
    );
    readable.push(result);
    halfRates.push(paced.rate ?? Number.NaN);
    return probes;
  });
}

async function measureFlat(): Promise<{ flat: FlatFigures; settings: Record<string, string> }> {
  say(`one long run of ${FLAT_EVENTS} events`);
  return await onCluster({ ...SCALED_OUT, backlogBytesMax: FLAT_BACKLOG_BYTES }, async (loaded) => {
    const { round, samples } = await loaded.measure(FLAT);
    sayRound(FLAT, round);
    const all = [{ atMs: round.startedAtMs, stored: 0 }, ...samples];
    const million = Math.min(1_000_000, FLAT_EVENTS / 5);
    const millions = ratePoints(all, FLAT_EVENTS, million);
    const [second, last] = [millions[1]!, millions.at(-1)!];
    const disk = await measureClusterDisk(loaded.cluster);
    const settings = await loaded.cluster.settings();
    for (const { events, eventsPerSecond } of millions)
      say(`  ${events} events stored: ${eventsPerSecond} events/s`);
    say(`  disk ${JSON.stringify(disk)}`);
    return {
      flat: { round, points: ratePoints(all, FLAT_EVENTS, FLAT_EVENTS / 25), second, last, disk },
      settings,
    };
  });
}

async function onCluster<Result>(
  shape: ClusterShape,
  work: (loaded: LoadedCluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await Cluster.start(shape);
  try {
    return await work(new LoadedCluster(cluster, newSeed()));
  } finally {
    await cluster.stop();
  }
}

async function measure(
  loaded: LoadedCluster,
  scenario: ClusterScenario,
  beside?: (signal: AbortSignal) => Promise<number>,
): Promise<ClusterRound> {
  const { round } = await loaded.measure(scenario, beside);
  sayRound(scenario, round);
  return round;
}

function sayRound({ name }: ClusterScenario, round: ClusterRound): void {
  const { eventsPerSecond, storedPerSecond, ackMs, refusals, queuedMost, cpuMicros, walBytesPerEvent } =
    round;
  say(`  ${name}: answered ${eventsPerSecond}, stored ${storedPerSecond} events/s, answers ${text(ackMs)}`);
  say(
    `    ${refusals} refusals, ${queuedMost} queued at most, µs an event ${JSON.stringify(cpuMicros)}, WAL ${walBytesPerEvent} B`,
  );
}

function text({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(0)} ms`;
}

function wants(part: string): boolean {
  return values.only === undefined || values.only === part;
}

function wholeBatches(given: string): number {
  const events = Number(given);
  if (!(events >= 5000 && events % 12_500 === 0)) throw new Error('counts of events are whole 12,500s');
  return events;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
