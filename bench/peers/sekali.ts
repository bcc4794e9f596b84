import { version } from '../../src/version.ts';
import { BenchServer, SEKALI as COMMAND, type ServerCommand } from '../server.ts';
import type { Peer, RunningPeer } from './peer.ts';

export const SEKALI: Peer = {
  name: 'Sekali',
  remembers: 'for ever',
  durable: 'yes',
  how: 'HTTP, 16 connections with a batch of 500 under way on each',
  connections: 16,
  missing: () => undefined,
  version: () => version,
  start: () => startBehindHttp(COMMAND),
};

/** What is served through Sekali's own HTTP server. */
export async function startBehindHttp(command: ServerCommand): Promise<RunningPeer> {
  const server = await BenchServer.start(command);
  return {
    url: server.url,
    async stop() {
      await server.stop();
      server.dataDir.remove();
    },
  };
}
