import type { Peer } from './peer.ts';
import { startBehindHttp } from './sekali.ts';

export const SQLITE: Peer = {
  name: 'SQLite with a unique index, behind the same HTTP server',
  remembers: 'for ever',
  durable: 'yes',
  how: 'UNIQUE (topic, event_id), INSERT … ON CONFLICT DO NOTHING, all waiting requests in one transaction; WAL, synchronous=FULL',
  connections: 16,
  missing: () => undefined,
  version: () => process.versions['sqlite'] ?? '',
  start: () =>
    startBehindHttp({ args: (dataDir) => ['bench/serve.ts', 'bench/peers/sqlite-store.ts', dataDir] }),
};
