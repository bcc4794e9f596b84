/**
 * `npm run bench:full`: the targets, on one server that is filled to fifty million events (`--events N` for a smaller
 * trial), then asked and loaded as it stands, then killed and started again. Takes about ten minutes and 20 GB of disk
 * where `BENCH_DIR` says (or the system's temporary directory). Writes bench/results/full.json, the charts and the README's figures.
 */
import { parseArgs } from 'node:util';
import { drawCharts } from './draw.ts';
import { writeFigures } from './figures.ts';
import { measureDedupCost } from './full/dedup-cost.ts';
import { measureDisk } from './full/disk.ts';
import { fill } from './full/fill.ts';
import { keyStats } from './full/key-stats.ts';
import { measureReads } from './full/reads.ts';
import { type FullFigures, type FullReport, judge } from './full/report.ts';
import { killAndRestart } from './full/restart.ts';
import { measureRetentionCost } from './full/retention-cost.ts';
import { settled } from './full/settle.ts';
import { describeMachine } from './machine.ts';
import { median } from './median.ts';
import { memoryOf } from './process-figures.ts';
import { writeReport } from './report.ts';
import { atRate, figuresOf, LoadedServer, newSeed, type Round, type Scenario } from './scenario.ts';
import { BenchServer, SEKALI } from './server.ts';

const { events } = parseArgs({ options: { events: { type: 'string', default: '50000000' } } }).values;
const TOTAL = Number(events);
if (!(TOTAL >= 100_000 && TOTAL % 25_000 === 0))
  throw new Error('--events takes whole 25,000s, 100,000 or more');

/** A round beside the fill: two million events, or less in a trial. */
const ROUND_EVENTS = Math.min(2_000_000, TOTAL / 50);
const ROUNDS = 3;
const FULL: Scenario = {
  name: 'new events, batches of 500',
  events: TOTAL,
  batch: 500,
  connections: 16,
  duplicates: 0,
};
const NEW: Scenario = { ...FULL, events: ROUND_EVENTS };
const HALF_DUPLICATES: Scenario = { ...NEW, name: 'half duplicates, batches of 500', duplicates: 0.5 };
const SINGLE: Scenario = {
  name: 'one event a request',
  events: Math.min(100_000, ROUND_EVENTS),
  batch: 1,
  connections: 64,
  duplicates: 0,
};
const HALF_RATE: Scenario = {
  ...NEW,
  name: 'half of the full rate, batches of 100',
  batch: 100,
  connections: 32,
};
const HALF_RATE_SECONDS = Math.min(10, ROUND_EVENTS / 50_000);

const say = (text: string) => process.stderr.write(`${text}\n`);

say('the check switched on and off, in turn');
const dedupCost = await measureDedupCost({ ...NEW, events: Math.min(1_000_000, TOTAL / 2) }, 5);

say('events retired and kept, in turn');
const retentionCost = await measureRetentionCost({ ...NEW, events: Math.min(2_000_000, TOTAL / 2) }, 3);

const servers: BenchServer[] = [await BenchServer.start()];
try {
  const figures = await measureAll(new LoadedServer(servers[0]!, newSeed()));
  const report: FullReport = {
    command: `npm run bench:full${TOTAL === 50_000_000 ? '' : ` -- --events ${TOTAL}`}`,
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    durability: 'every answer after the fsync of its commit group',
    ...figures,
    targets: judge(figures),
  };
  writeReport('full', report);
  drawCharts();
  writeFigures();
  for (const { what, figure, met } of report.targets) say(`${met ? 'met   ' : 'MISSED'} ${what}: ${figure}`);
} finally {
  for (const server of servers) await server.kill();
  servers[0]?.dataDir.remove();
}

async function measureAll(loaded: LoadedServer): Promise<FullFigures> {
  const { server } = loaded;
  say(`filling it with ${TOTAL} events`);
  const { round, points } = await fill(loaded, FULL);
  const memory = memoryOf(server.pid);
  const keys = await keyStats(server.url);
  const diskWhileFilling = measureDisk(server.dataDir, loaded.stored);
  await settled(server.dataDir);
  const disk = measureDisk(server.dataDir, loaded.stored);

  say('reads');
  const reads = await measureReads(loaded);

  say('new events and half duplicates, in turn');
  const fresh: Round[] = [];
  const repeated: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    fresh.push(await loaded.measure(NEW));
    repeated.push(await loaded.measure(HALF_DUPLICATES));
  }
  const fullRate = median(fresh.map(({ eventsPerSecond }) => eventsPerSecond));

  say('one event a request, and half of the full rate, in turn');
  const single: Round[] = [];
  const halfRate: Round[] = [];
  const paced = atRate(HALF_RATE, fullRate / 2, HALF_RATE_SECONDS);
  for (let i = 0; i < ROUNDS; i++) {
    single.push(await loaded.measure(SINGLE));
    halfRate.push(await loaded.measure(paced));
  }
  const memoryAtEnd = memoryOf(server.pid);

  say('kill -9 and start');
  const readyMs: number[] = [];
  let current = loaded;
  for (let i = 0; i < ROUNDS; i++) {
    const restarted = await killAndRestart(current, SEKALI);
    servers.push(restarted.server);
    readyMs.push(restarted.readyMs);
    const { stored } = current;
    current = new LoadedServer(restarted.server, loaded.seed);
    current.stored = stored;
  }

  return {
    events: TOTAL,
    fill: { eventsPerSecond: round.eventsPerSecond, points },
    scenarios: [
      figuresOf(NEW, fresh),
      figuresOf(HALF_DUPLICATES, repeated),
      figuresOf(SINGLE, single),
      figuresOf(paced, halfRate),
    ],
    dedupCost,
    retentionCost,
    memory,
    memoryAtEnd,
    keyStats: keys,
    disk,
    diskWhileFilling,
    reads,
    readyMs,
  };
}
