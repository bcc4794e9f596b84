import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataDir } from '../data-dir.ts';
import { findProgram, versionOf } from '../programs/find-program.ts';
import { Program } from '../programs/program.ts';
import { createStream } from './nats-lane.ts';
import type { Peer } from './peer.ts';

/** `NATS_SERVER` names another one than the system's: `sync_interval` came with 2.10. */
const PATH = process.env['NATS_SERVER'] ?? findProgram('nats-server');

const HOW = 'file store, Nats-Msg-Id; 16 connections with 500 messages under way on each, written by hand';
const NATS = {
  remembers: '2 minutes (its default duplicate window)',
  connections: 16,
  version: () => (PATH ? versionOf(PATH) : ''),
} as const;

export const NATS_DEFAULT: Peer = {
  ...NATS,
  name: 'NATS JetStream, default sync',
  durable: 'no',
  how: `${HOW}; the file is synced every 2 minutes`,
  missing: () => (PATH ? undefined : 'there is no nats-server'),
  start: () => start('store_dir: '),
};

export const NATS_SYNCED: Peer = {
  ...NATS,
  name: 'NATS JetStream, sync_interval: always',
  durable: 'yes',
  how: `${HOW}; the file is synced before each ack`,
  missing() {
    const missing = NATS_DEFAULT.missing();
    return (
      missing ?? (canSyncAlways() ? undefined : `nats-server ${NATS.version()} does not know sync_interval`)
    );
  },
  share: 0.1,
  start: () => start('sync_interval: always, store_dir: '),
};

export const NATS_CLIENT: Peer = {
  ...NATS,
  name: 'NATS JetStream, default sync, official Node client',
  durable: 'no',
  how: 'as above, through @nats-io/jetstream; 4 connections with 500 messages under way on each',
  connections: 4,
  share: 0.25,
  missing: () => NATS_DEFAULT.missing(),
  async start() {
    const running = await NATS_DEFAULT.start();
    return { ...running, url: running.url.replace('nats:', 'nats+client:') };
  },
};

async function start(settings: string) {
  const dataDir = DataDir.make('nats');
  const program = await Program.start(PATH ?? '', (port) => ['-c', writeConfig(dataDir, settings, port)]);
  const url = `nats://127.0.0.1:${program.port}`;
  await createStream(url);
  return {
    url,
    async stop() {
      await program.stop();
      dataDir.remove();
    },
  };
}

/** No log of its own beyond warnings, and room for what the bench has under way. */
function writeConfig(dataDir: DataDir, settings: string, port: number): string {
  const file = join(dataDir.path, 'nats.conf');
  writeFileSync(
    file,
    `host: 127.0.0.1\nport: ${port}\njetstream { ${settings}${JSON.stringify(dataDir.path)} }\n`,
  );
  return file;
}

function canSyncAlways(): boolean {
  const dataDir = DataDir.make('nats');
  try {
    execFileSync(PATH ?? '', ['-t', '-c', writeConfig(dataDir, 'sync_interval: always, store_dir: ', 4222)], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  } finally {
    dataDir.remove();
  }
}
