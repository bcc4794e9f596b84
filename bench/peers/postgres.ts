import { missingPostgres, PostgresProgram, postgresVersion } from '../programs/postgres.ts';
import type { Peer } from './peer.ts';
import { startBehindHttp } from './sekali.ts';

export const POSTGRES: Peer = {
  name: 'PostgreSQL, behind the same HTTP server',
  remembers: 'for ever',
  durable: 'yes',
  how: 'UNIQUE (topic, event_id), INSERT … SELECT FROM unnest … ON CONFLICT DO NOTHING, up to 2,000 rows a statement, 2 connections; fsync and synchronous_commit on, 1 GB of shared buffers',
  connections: 16,
  missing: missingPostgres,
  version: postgresVersion,
  start,
};

async function start() {
  const postgres = await PostgresProgram.start();
  const running = await startBehindHttp({
    args: (dataDir) => ['bench/serve.ts', 'bench/peers/postgres-store.ts', dataDir],
    env: { BENCH_POSTGRES_URL: postgres.url },
  });
  return {
    url: running.url,
    async stop() {
      await running.stop();
      await postgres.stop();
    },
  };
}
