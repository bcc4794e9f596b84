import { atLeast, type Target } from '../full/targets.ts';
import type { Machine } from '../machine.ts';
import type { ScenarioFigures } from '../scenario.ts';
import type { Peer } from './peer.ts';

export interface PeerFigures extends Pick<Peer, 'name' | 'remembers' | 'durable' | 'how'> {
  readonly version: string;
  readonly fresh: ScenarioFigures;
  readonly repeated: ScenarioFigures;
}

/** What `npm run bench:peers` writes. */
export interface PeersReport {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly eventsEach: number;
  /** Sekali is the first. */
  readonly peers: readonly PeerFigures[];
  /** Sekali's rate for new events over that of each peer. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly targets: readonly Target[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** How often the rate of the one for new events is that of the other. */
export function ratio(one: PeerFigures | undefined, other: PeerFigures): number {
  return Math.round((100 * (one?.fresh.eventsPerSecond ?? Number.NaN)) / other.fresh.eventsPerSecond) / 100;
}

/** The one target that is set against a peer, against each way in which that peer was run. */
export function judgePeers(peers: readonly PeerFigures[]): Target[] {
  return peers
    .filter(({ name }) => name.startsWith('NATS'))
    .map((peer) => atLeast(`new events against ${peer.name}`, 8, '×', ratio(peers[0], peer)));
}
