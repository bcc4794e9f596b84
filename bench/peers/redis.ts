import { DataDir } from '../data-dir.ts';
import { findProgram, versionOf } from './find-program.ts';
import type { Peer } from './peer.ts';
import { Program } from './program.ts';

const PATH = findProgram('redis-server');

const REDIS = {
  remembers: 'as long as all ids and events fit into memory',
  connections: 16,
  missing: () => (PATH ? undefined : 'there is no redis-server'),
  version: () => (PATH ? versionOf(PATH) : ''),
} as const;
const HOW =
  'a script does SET NX and XADD for each event, 500 events a call, 16 calls under way; append-only file';

export const REDIS_ALWAYS: Peer = {
  ...REDIS,
  name: 'Redis stream, appendfsync always',
  durable: 'yes',
  how: `${HOW}, synced before each answer`,
  start: () => start('always'),
};

export const REDIS_EVERYSEC: Peer = {
  ...REDIS,
  name: 'Redis stream, appendfsync everysec',
  durable: 'within a second',
  how: `${HOW}, synced every second`,
  start: () => start('everysec'),
};

async function start(appendfsync: string) {
  const dataDir = DataDir.make('redis');
  // Without snapshots and rewrites of its file, which would only take from its rate.
  const args = (port: number) =>
    Object.entries({
      bind: '127.0.0.1',
      port: String(port),
      dir: dataDir.path,
      appendonly: 'yes',
      appendfsync,
      'auto-aof-rewrite-percentage': '0',
      save: '',
    }).flatMap(([name, value]) => [`--${name}`, value]);
  const program = await Program.start(PATH ?? '', args);
  return {
    url: `redis://127.0.0.1:${program.port}`,
    async stop() {
      await program.stop();
      dataDir.remove();
    },
  };
}
