/** The thread that folds the write-ahead log into the database, while commits go on: see checkpointer.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../message-of.ts';
import { openFolder } from './connection.ts';

/** Why a checkpoint failed; undefined when it did not. */
export interface CheckpointResult {
  readonly failure: string | undefined;
}

if (parentPort) {
  const port = parentPort;
  const db = openFolder((workerData as { dataDir: string }).dataDir);
  const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  port.on('message', (message: 'checkpoint' | 'close') => {
    if (message === 'close') {
      db.close();
      port.close();
      return;
    }
    let failure: string | undefined;
    try {
      checkpoint.get();
    } catch (error) {
      failure = messageOf(error);
    }
    port.postMessage({ failure } satisfies CheckpointResult);
  });
}
