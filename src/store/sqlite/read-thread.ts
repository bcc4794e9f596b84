/** The thread that reads: a long query holds up other queries for a moment (read-events.ts), and never a commit. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../message-of.ts';
import { Turns } from '../../turns.ts';
import type { PrintedPage } from '../store-reader.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** Calls that cross to the thread: the methods of StoreReader, but `close`. */
export const READ_METHODS = [
  'events',
  'printed',
  'eventAt',
  'eventsAt',
  'countEvents',
  'sequences',
  'positionBefore',
  'lastPosition',
  'topics',
  'counters',
  'conflicts',
] as const;
export type ReadMethod = (typeof READ_METHODS)[number];

/** Those that hold a page of events in memory. */
const PAGE_METHODS: readonly string[] = ['events', 'printed'] satisfies ReadMethod[];

/**
 * Pages that are put together at one time. They take turns while they look (read-events.ts), so that a short one need not wait for a
 * long one; but each holds up to 8 MiB, and a thousand may be asked for at once.
 */
const PAGES_AT_ONCE = 4;

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

/** What crosses without being copied. */
function buffersOf({ text, ends, positions, topicOf, sources }: PrintedPage): ArrayBuffer[] {
  return [text, ends, positions, topicOf, sources].map(({ buffer }) => buffer as ArrayBuffer);
}

if (parentPort) {
  const port = parentPort;
  const reader = SqliteReader.open((workerData as { dataDir: string }).dataDir);
  const pages = new Turns(PAGES_AT_ONCE);
  const run = async ({ id, method, argument }: ReadCall): Promise<ReadResult> => {
    const isPage = PAGE_METHODS.includes(method);
    if (isPage) await pages.take();
    try {
      const call = reader[method].bind(reader) as (argument: unknown) => Promise<unknown>;
      return { id, value: await call(argument) };
    } catch (error) {
      return { id, failure: messageOf(error) };
    } finally {
      if (isPage) pages.give();
    }
  };
  const answer = async (call: ReadCall): Promise<void> => {
    const result = await run(call);
    const isPage = call.method === 'printed' && result.value !== undefined;
    port.postMessage(result, isPage ? buffersOf(result.value as PrintedPage) : []);
  };
  port.on('message', (call: ReadCall | 'close') => {
    if (call === 'close') {
      void reader.close().then(() => port.close());
      return;
    }
    void answer(call);
  });
}
