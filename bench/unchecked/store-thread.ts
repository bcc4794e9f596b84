/**
 * The store with its check switched off, to measure what the check costs: the index finds nothing and keeps nothing, and no
 * keys are logged. For the bench alone; what it stores cannot be relied on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { GenerationIndex } from '../../src/store/dedup/generation-index.ts';
import { KeyLogWriter } from '../../src/store/dedup/key-log.ts';
import { serveStore } from '../../src/store/serve-store.ts';
import { SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/sqlite-store.ts';

GenerationIndex.prototype.find = () => undefined;
GenerationIndex.prototype.add = () => {};
KeyLogWriter.prototype.add = () => {};

if (parentPort) {
  const options = workerData as SqliteStoreOptions;
  void serveStore(parentPort, () => SqliteStore.open({ ...options, checkpointThread: true }));
}
