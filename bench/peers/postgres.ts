import { execFileSync } from 'node:child_process';
import { chownSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataDir } from '../data-dir.ts';
import { findProgram, versionOf } from './find-program.ts';
import type { Peer } from './peer.ts';
import { Program } from './program.ts';
import { startBehindHttp } from './sekali.ts';

const PATH = findProgram('postgres', globSync('/usr/lib/postgresql/*/bin').toReversed());

export const POSTGRES: Peer = {
  name: 'PostgreSQL, behind the same HTTP server',
  remembers: 'for ever',
  durable: 'yes',
  how: 'UNIQUE (topic, event_id), INSERT … SELECT FROM unnest … ON CONFLICT DO NOTHING, up to 2,000 rows a statement, 2 connections; fsync and synchronous_commit on, 1 GB of shared buffers',
  connections: 16,
  missing: () => (PATH ? undefined : 'there is no postgres'),
  version: () => (PATH ? versionOf(PATH) : ''),
  start,
};

/** PostgreSQL refuses to run as root: then it runs as who owns nothing. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

async function start() {
  const cluster = DataDir.make('postgres');
  if (USER.uid !== undefined) chownSync(cluster.path, USER.uid, USER.gid);
  const data = join(cluster.path, 'data');
  const initdb = join(dirname(PATH ?? ''), 'initdb');
  execFileSync(initdb, ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    stdio: 'ignore',
    ...USER,
  });
  const program = await Program.start(PATH ?? '', (port) => argumentsOf(data, cluster.path, port), USER);
  const url = `postgres://bench@127.0.0.1:${program.port}/postgres`;
  const running = await startBehindHttp({
    args: (dataDir) => ['bench/serve.ts', 'bench/peers/postgres-store.ts', dataDir],
    env: { BENCH_POSTGRES_URL: url },
  });
  return {
    url: running.url,
    async stop() {
      await running.stop();
      await program.stop('SIGINT'); // its fast shutdown
      cluster.remove();
    },
  };
}

/** Memory and checkpoints as whoever cares for its rate would set them; durability as it comes. */
function argumentsOf(data: string, sockets: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: sockets,
    shared_buffers: '1GB',
    max_wal_size: '8GB',
    checkpoint_timeout: '15min',
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
