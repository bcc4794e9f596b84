import { median } from '../median.ts';
import {
  figuresOf,
  LoadedServer,
  newSeed,
  type Round,
  type Scenario,
  type ScenarioFigures,
} from '../scenario.ts';
import { BenchServer, SEKALI, type ServerCommand } from '../server.ts';

/** Everything older than a second goes: what was there before, and what comes in meanwhile. */
const RETIRING: ServerCommand = {
  args: (dataDir) => [...SEKALI.args(dataDir), '--retention', '*:age=1s'],
};

export interface RetentionCost {
  readonly keeping: ScenarioFigures;
  readonly retiring: ScenarioFigures;
  /** Share of the rate that retiring events costs. */
  readonly cost: number;
  /** Events retired while new ones came in, a second; the median of the rounds. */
  readonly retiredPerSecond: number;
}

/** New events into a server that keeps what it has, and into one that retires it all, in turn. */
export async function measureRetentionCost(scenario: Scenario, rounds: number): Promise<RetentionCost> {
  const keeping: Round[] = [];
  const retiring: Round[] = [];
  const retired: number[] = [];
  for (let round = 0; round < rounds; round++) {
    keeping.push((await measure(SEKALI, scenario)).round);
    const measured = await measure(RETIRING, scenario);
    retiring.push(measured.round);
    retired.push(measured.retired / measured.round.seconds);
  }
  const shares = keeping.map(
    (round, i) => (retiring[i]?.eventsPerSecond ?? Number.NaN) / round.eventsPerSecond,
  );
  return {
    keeping: figuresOf(scenario, keeping),
    retiring: figuresOf(scenario, retiring),
    cost: 1 - median(shares),
    retiredPerSecond: Math.round(median(retired)),
  };
}

/** Fills a server, starts it anew with the command, and loads it again. */
async function measure(
  command: ServerCommand,
  scenario: Scenario,
): Promise<{ round: Round; retired: number }> {
  const first = await BenchServer.start();
  const filled = new LoadedServer(first, newSeed());
  await filled.measure(scenario);
  await first.stop();
  const server = await BenchServer.start(command, first.dataDir);
  try {
    const loaded = filled.movedTo(server);
    const before = await countRetired(server.url);
    const round = await loaded.measure(scenario);
    return { round, retired: (await countRetired(server.url)) - before };
  } finally {
    await server.stop();
    server.dataDir.remove();
  }
}

async function countRetired(url: string): Promise<number> {
  const { topics } = (await (await fetch(`${url}/topics`)).json()) as { topics: { retired: number }[] };
  return topics.reduce((sum, { retired }) => sum + retired, 0);
}
