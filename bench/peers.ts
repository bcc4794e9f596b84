/**
 * `npm run bench:peers`: the same events to Sekali and to what a user would take instead, one after the other, rounds in
 * turn (A B C A B C …), each on fresh data. What to install: bench/peers/README.md. Those that are not there are named in
 * the results. `--events N` for a smaller trial, `--only WORD` for those whose name has the word. Writes
 * bench/results/peers.json, the charts and the README's figures.
 */
import { parseArgs } from 'node:util';
import { drawCharts } from './draw.ts';
import { writeFigures } from './figures.ts';
import { eventsPerSecond, runLoad } from './load-process.ts';
import { describeMachine } from './machine.ts';
import { PEERS } from './peers/all.ts';
import type { Peer } from './peers/peer.ts';
import { judgePeers, type PeerFigures, type PeersReport, ratio } from './peers/report.ts';
import { writeReport } from './report.ts';
import { figuresOf, newSeed, type Round, type Scenario } from './scenario.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
  },
});
const ROUNDS = Number(values.rounds);
const FRESH: Scenario = {
  name: 'new events, batches of 500',
  events: Number(values.events),
  batch: 500,
  connections: 16,
  duplicates: 0,
};
const REPEATED: Scenario = { ...FRESH, name: 'half duplicates, batches of 500', duplicates: 0.5 };

const wanted = PEERS.filter(({ name }) => name.toLowerCase().includes(values.only.toLowerCase()));
const present = wanted.filter((peer) => peer.missing() === undefined);
const fresh = new Map<Peer, Round[]>(present.map((peer) => [peer, []]));
const repeated = new Map<Peer, Round[]>(present.map((peer) => [peer, []]));

for (let round = 1; round <= ROUNDS; round++) {
  const seed = newSeed(); // the same events to each
  for (const peer of present) {
    fresh.get(peer)?.push(await measure(peer, FRESH, seed));
    repeated.get(peer)?.push(await measure(peer, REPEATED, seed));
    const [one, other] = [fresh, repeated].map((rounds) => rounds.get(peer)?.at(-1)?.eventsPerSecond);
    process.stderr.write(
      `round ${round}/${ROUNDS}  ${peer.name}: new ${one}, half duplicates ${other} events/s\n`,
    );
  }
}

const peers = present.map((peer) => figuresOfPeer(peer));
const report: PeersReport = {
  command: 'npm run bench:peers',
  measuredAt: new Date().toISOString(),
  machine: describeMachine(),
  eventsEach: FRESH.events,
  peers,
  ratios: Object.fromEntries(peers.slice(1).map((peer) => [peer.name, ratio(peers[0], peer)])),
  targets: judgePeers(peers),
  missing: wanted.flatMap((peer) => {
    const why = peer.missing();
    return why === undefined ? [] : [{ name: peer.name, why }];
  }),
};
writeReport('peers', report);
drawCharts();
writeFigures();

async function measure(peer: Peer, scenario: Scenario, seed: number): Promise<Round> {
  const running = await peer.start();
  try {
    // Durable peers that sync each event take a minute for what the others take in a second: fewer events for them.
    const events = Math.max(scenario.batch, Math.floor((scenario.events * (peer.share ?? 1)) / 500) * 500);
    const connections = peer.connections;
    const plan = { ...scenario, events, connections, url: running.url, first: 0, seed };
    const result = await runLoad(plan);
    return { ...result, eventsPerSecond: eventsPerSecond(result) };
  } finally {
    await running.stop();
  }
}

function figuresOfPeer(peer: Peer): PeerFigures {
  const { name, remembers, durable, how, connections } = peer;
  return {
    name,
    version: peer.version(),
    remembers,
    durable,
    how,
    fresh: figuresOf({ ...FRESH, connections }, fresh.get(peer) ?? []),
    repeated: figuresOf({ ...REPEATED, connections }, repeated.get(peer) ?? []),
  };
}
