/** The thread that reads: a long query holds up other queries for a moment (read-events.ts), and never a commit. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../message-of.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** Calls that cross to the thread: the methods of StoreReader, but `close`. */
export const READ_METHODS = [
  'events',
  'eventAt',
  'eventsAt',
  'countEvents',
  'positionBefore',
  'lastPosition',
  'topics',
  'counters',
  'conflicts',
] as const;
export type ReadMethod = (typeof READ_METHODS)[number];

export interface ReadCall {
  readonly id: number;
  readonly method: ReadMethod;
  readonly argument: unknown;
}

export interface ReadResult {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: string;
}

if (parentPort) {
  const port = parentPort;
  const reader = SqliteReader.open((workerData as { dataDir: string }).dataDir);
  const run = async ({ id, method, argument }: ReadCall): Promise<ReadResult> => {
    try {
      const call = reader[method].bind(reader) as (argument: unknown) => Promise<unknown>;
      return { id, value: await call(argument) };
    } catch (error) {
      return { id, failure: messageOf(error) };
    }
  };
  port.on('message', (call: ReadCall | 'close') => {
    if (call === 'close') {
      void reader.close().then(() => port.close());
      return;
    }
    void run(call).then((result) => port.postMessage(result));
  });
}
