/**
 * `npm run bench:deliver`: what is delivered, how soon and how fast, by one server over SQLite, its publishers, subscribers and consumers
 * on the same machine. Each part has a fresh server, rounds in turn (A B C D A B C D …), medians count; every part checks that each event comes
 * once. Takes about six minutes and 2 GB of disk where `BENCH_DIR` says (or the system's temporary directory). `--events N`
 * (at most so many in each part), `--rounds N` and `--only live|catch-up|group|ingest` for a trial, whose result is only printed; with
 * `BENCH_RESULTS` the result of one of all parts is written there. Writes bench/results/deliver.json and the README's figures.
 */
import { parseArgs } from 'node:util';
import { measureCatchUp } from './deliver/catch-up.ts';
import { measureGroup } from './deliver/group.ts';
import { measureFollowedIngest, measureIngestAlone } from './deliver/ingest.ts';
import { measureLive } from './deliver/live.ts';
import {
  type DeliverReport,
  type DeliverRounds,
  type DeliverScenarios,
  deliverFiguresOf,
  judgeDelivery,
} from './deliver/report.ts';
import { writeFigures } from './figures.ts';
import { describeMachine } from './machine.ts';
import { isTrial, writeReport } from './report.ts';
import { LoadedServer, newSeed, type Scenario } from './scenario.ts';
import { BenchServer } from './server.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const argv = process.argv.slice(2);
const ROUNDS = Number(values.rounds);
const EVENTS_MAX = wholeBatches(values.events);

/** Of publishing with subscribers and without, in a round: each takes a few seconds of a machine whose speed drifts. */
const INGEST_PAIRS = 2;

/** As in bench/run.ts. */
const NEW: Scenario = {
  name: 'new events, batches of 500',
  events: atMost(1_000_000),
  batch: 500,
  connections: 16,
  duplicates: 0,
};
const SCENARIOS: DeliverScenarios = {
  live: { subscribers: 100, events: atMost(60_000), batch: 20, everyMs: 10 },
  catchUp: NEW,
  group: { ...NEW, events: atMost(400_000), consumers: 4, fetchMax: 500 },
  ingest: { ...NEW, subscribers: 10 },
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const rounds: DeliverRounds = { live: [], catchUp: [], group: [], ingestAlone: [], ingestFollowed: [] };
for (let round = 1; round <= ROUNDS; round++) {
  say(`round ${round}/${ROUNDS}`);
  if (wants('live')) await add('live', rounds.live, (server) => measureLive(server, SCENARIOS.live));
  if (wants('catch-up')) await add('catch-up', rounds.catchUp, catchUp);
  if (wants('group')) await add('group', rounds.group, group);
  for (let pair = 0; wants('ingest') && pair < INGEST_PAIRS; pair++) {
    const { subscribers, ...scenario } = SCENARIOS.ingest;
    await add('alone', rounds.ingestAlone, (server) => measureIngestAlone(server, scenario));
    await add('followed', rounds.ingestFollowed, (server) =>
      measureFollowedIngest(server, scenario, subscribers),
    );
  }
}
if (values.only === undefined) report();

function report(): void {
  const figures = deliverFiguresOf(rounds);
  const targets = judgeDelivery(figures, SCENARIOS);
  const report: DeliverReport = {
    command: ['npm run bench:deliver', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' '),
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    scenarios: SCENARIOS,
    ...figures,
    targets,
  };
  if (argv.length === 0 || isTrial) {
    writeReport('deliver', report);
    writeFigures();
  }
  for (const { what, figure, met } of targets) say(`${met ? 'met   ' : 'MISSED'} ${what}: ${figure}`);
}

async function catchUp(server: BenchServer) {
  return await measureCatchUp(await filled(server, SCENARIOS.catchUp));
}

async function group(server: BenchServer) {
  return await measureGroup(await filled(server, SCENARIOS.group), SCENARIOS.group);
}

async function filled(server: BenchServer, scenario: Scenario): Promise<LoadedServer> {
  const loaded = new LoadedServer(server, newSeed());
  await loaded.measure(scenario);
  return loaded;
}

/** On a fresh server. */
async function add<R extends object>(
  part: string,
  to: R[],
  measure: (server: BenchServer) => Promise<R>,
): Promise<void> {
  const server = await BenchServer.start();
  try {
    const result = await measure(server);
    say(`  ${part} ${JSON.stringify(result)}`);
    to.push(result);
  } finally {
    await server.stop();
    server.dataDir.remove();
  }
}

function atMost(events: number): number {
  return Math.min(events, EVENTS_MAX);
}

function wants(part: string): boolean {
  return values.only === undefined || values.only === part;
}

function wholeBatches(given: string): number {
  const events = Number(given);
  if (!(events >= 500 && events % 500 === 0)) throw new Error('counts of events are whole 500s');
  return events;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
