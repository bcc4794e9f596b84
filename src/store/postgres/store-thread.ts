/** The thread that talks to PostgreSQL for the requests that wait for the store, and keeps house there. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from '../serve-store.ts';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';

if (parentPort) {
  void serveStore(parentPort, (onProgress) =>
    PostgresStore.open({ ...(workerData as PostgresStoreOptions), keepHouse: true, onProgress }),
  );
}
