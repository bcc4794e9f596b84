/** The thread that writes: verdicts, appends, syncs. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from '../serve-store.ts';
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

if (parentPort) {
  void serveStore(parentPort, (onProgress) =>
    SqliteStore.open({ ...(workerData as SqliteStoreOptions), checkpointThread: true, onProgress }),
  );
}
