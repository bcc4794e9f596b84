import { existsSync } from 'node:fs';
import { median } from '../median.ts';
import {
  figuresOf,
  LoadedServer,
  newSeed,
  type Round,
  type Scenario,
  type ScenarioFigures,
} from '../scenario.ts';
import { BenchServer, type ServerCommand } from '../server.ts';

/** A store that takes all for new, everything else as it is: for the bench alone. */
const UNCHECKED_STORE = 'bench/unchecked/store-thread.ts';
const UNCHECKED: ServerCommand = {
  args: (dataDir) => ['bench/serve.ts', UNCHECKED_STORE, dataDir],
};
/** The same entry with the real store: nothing but the check is to differ. */
const CHECKED: ServerCommand = {
  args: (dataDir) => ['bench/serve.ts', 'src/store/sqlite/store-thread.ts', dataDir],
};

export interface DedupCost {
  readonly checked: ScenarioFigures;
  readonly unchecked: ScenarioFigures;
  /** Share of the rate that the check costs. */
  readonly cost: number;
}

/** The same events through the same server with the check and without it, in turn. */
export async function measureDedupCost(scenario: Scenario, rounds: number): Promise<DedupCost | undefined> {
  if (!existsSync(UNCHECKED_STORE)) return undefined;
  const checked: Round[] = [];
  const unchecked: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const seed = newSeed();
    checked.push(await measure(CHECKED, scenario, seed));
    unchecked.push(await measure(UNCHECKED, scenario, seed));
  }
  // Of pairs that ran right after one another: a machine that is slow for a while is slow for both.
  const shares = checked.map(
    (round, i) => round.eventsPerSecond / (unchecked[i]?.eventsPerSecond ?? Number.NaN),
  );
  return {
    checked: figuresOf(scenario, checked),
    unchecked: figuresOf(scenario, unchecked),
    cost: 1 - median(shares),
  };
}

async function measure(command: ServerCommand, scenario: Scenario, seed: number): Promise<Round> {
  const server = await BenchServer.start(command);
  try {
    return await new LoadedServer(server, seed).measure(scenario);
  } finally {
    await server.stop();
    server.dataDir.remove();
  }
}
