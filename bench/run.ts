/**
 * `npm run bench`: what one machine takes in over HTTP, every answer after the fsync, the load generator on the same cores.
 * Each scenario runs ROUNDS times, on a fresh server and data directory each time, scenarios in turn (A B C A B C …), so that
 * a machine that is slow for a while is slow for all; the median counts. Writes bench/results/ingest.json, and the README's
 * figures from it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { REPORT_FILE, writeFigures } from './figures.ts';
import type { LoadResult } from './load.ts';
import { describeMachine } from './machine.ts';
import { BenchServer } from './server.ts';

interface Scenario {
  readonly name: string;
  readonly events: number;
  readonly batch: number;
  readonly connections: number;
  /** Share of events that repeat an earlier one. */
  readonly duplicates: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'new events, batches of 500', events: 1_000_000, batch: 500, connections: 8, duplicates: 0 },
  { name: 'half duplicates, batches of 500', events: 1_000_000, batch: 500, connections: 8, duplicates: 0.5 },
  { name: 'one event a request', events: 60_000, batch: 1, connections: 64, duplicates: 0 },
];
const ROUNDS = 3;

const rounds = new Map<Scenario, (LoadResult & { peakMemoryMiB: number })[]>();
for (let round = 1; round <= ROUNDS; round++) {
  for (const scenario of SCENARIOS) {
    const result = await measure(scenario);
    rounds.set(scenario, [...(rounds.get(scenario) ?? []), result]);
    process.stderr.write(`round ${round}/${ROUNDS}  ${scenario.name}: ${perSecond(result)} events/s\n`);
  }
}

const report = {
  command: 'npm run bench',
  measuredAt: new Date().toISOString(),
  machine: describeMachine(),
  durability: 'every answer after the fsync of its commit group (WAL, synchronous=FULL)',
  scenarios: SCENARIOS.map((scenario) => {
    const results = rounds.get(scenario) ?? [];
    return {
      ...scenario,
      eventsPerSecond: median(results.map(perSecond)),
      ackMsP50: median(results.map((r) => r.ackMs.p50)),
      ackMsP99: median(results.map((r) => r.ackMs.p99)),
      rounds: results,
    };
  }),
};
mkdirSync('bench/results', { recursive: true });
writeFileSync(REPORT_FILE, `${JSON.stringify(report, null, 2)}\n`);
writeFigures(report);
print();

async function measure(scenario: Scenario): Promise<LoadResult & { peakMemoryMiB: number }> {
  const server = await BenchServer.start();
  try {
    const { events, batch, connections, duplicates } = scenario;
    const args = ['bench/load.ts', server.url, events, batch, connections, duplicates].map(String);
    const load = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    load.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(load, 'close')) as [number];
    if (code !== 0) throw new Error(`the load generator ended with ${code}`);
    const result = JSON.parse(text) as LoadResult;
    await check(server.url, result);
    return { ...result, peakMemoryMiB: peakMemoryMiB(server.pid) };
  } finally {
    await server.stop();
  }
}

/** A figure counts only if the server has what it acknowledged. */
async function check(url: string, result: LoadResult): Promise<void> {
  const stats = (await (await fetch(`${url}/stats`)).json()) as {
    received: number;
    unique_processed: number;
  };
  if (stats.received !== result.events || stats.unique_processed !== result.processed) {
    throw new Error(`sent ${JSON.stringify(result)}, but the server has ${JSON.stringify(stats)}`);
  }
}

function peakMemoryMiB(pid: number): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Math.round(Number(match?.[1]) / 1024);
  } catch {
    return Number.NaN; // only Linux tells
  }
}

function perSecond({ events, seconds }: LoadResult): number {
  return Math.round(events / seconds);
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function print(): void {
  const { cpu, cores, node, sqlite, sekali } = report.machine;
  process.stdout.write(
    `\nSekali ${sekali}, Node ${node}, SQLite ${sqlite}, ${cores} × ${cpu}; median of ${ROUNDS} rounds\n`,
  );
  for (const { name, eventsPerSecond, connections, ackMsP50, ackMsP99 } of report.scenarios) {
    const figures = `${eventsPerSecond.toLocaleString('en')} events/s, ack p50 ${ackMsP50} ms, p99 ${ackMsP99} ms`;
    process.stdout.write(`  ${name}, ${connections} connections: ${figures}\n`);
  }
}
