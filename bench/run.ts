/**
 * `npm run bench`, under two minutes: what one machine takes in over HTTP, every answer after the fsync, the load generator
 * on the same cores. Each scenario runs ROUNDS times, on a fresh server and data directory each time, scenarios in turn
 * (A B C A B C …), so that a machine that is slow for a while is slow for all; the median counts. Writes
 * bench/results/ingest.json, and the README's figures from it.
 */
import { writeFigures } from './figures.ts';
import type { IngestReport } from './ingest-report.ts';
import { describeMachine } from './machine.ts';
import { memoryOf } from './process-figures.ts';
import { writeReport } from './report.ts';
import { atRate, figuresOf, LoadedServer, newSeed, type Round, type Scenario } from './scenario.ts';
import { BenchServer } from './server.ts';

const NEW: Scenario = {
  name: 'new events, batches of 500',
  events: 1_000_000,
  batch: 500,
  connections: 16,
  duplicates: 0,
};
const HALF_DUPLICATES: Scenario = { ...NEW, name: 'half duplicates, batches of 500', duplicates: 0.5 };
const SINGLE: Scenario = {
  name: 'one event a request',
  events: 60_000,
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
const SCENARIOS = [NEW, HALF_DUPLICATES, SINGLE, HALF_RATE];

const ROUNDS = 3;
const HALF_RATE_SECONDS = 4;

type QuickRound = Round & { readonly peakMemoryMiB: number };

const rounds = new Map<Scenario, QuickRound[]>(SCENARIOS.map((scenario) => [scenario, []]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const scenario of SCENARIOS) {
    const result = await measure(scenario === HALF_RATE ? atHalfRate() : scenario);
    rounds.get(scenario)?.push(result);
    process.stderr.write(
      `round ${round}/${ROUNDS}  ${scenario.name}: ${result.eventsPerSecond} events/s, p99 ${result.ackMs.p99} ms\n`,
    );
  }
}

const report: IngestReport = {
  command: 'npm run bench',
  measuredAt: new Date().toISOString(),
  machine: describeMachine(),
  durability: 'every answer after the fsync of its commit group (WAL, synchronous=FULL)',
  scenarios: SCENARIOS.map((scenario) => figuresOf(scenario, rounds.get(scenario) ?? [])),
};
writeReport('ingest', report);
writeFigures();
print();

/** Of what the round has just measured at full rate. */
function atHalfRate(): Scenario {
  return atRate(HALF_RATE, (rounds.get(NEW)?.at(-1)?.eventsPerSecond ?? 0) / 2, HALF_RATE_SECONDS);
}

async function measure(scenario: Scenario): Promise<QuickRound> {
  const server = await BenchServer.start();
  try {
    const result = await new LoadedServer(server, newSeed()).measure(scenario);
    return { ...result, peakMemoryMiB: memoryOf(server.pid).peakMiB };
  } finally {
    await server.stop();
    server.dataDir.remove();
  }
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
