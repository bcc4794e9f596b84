import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { buildApp } from './http/app.ts';
import { Lifecycle } from './http/parts.ts';
import { Admission } from './ingest/admission.ts';
import { CommitQueue } from './ingest/commit-queue.ts';
import type { Logger } from './log.ts';
import { DataLock } from './store/sqlite/data-lock.ts';
import { ThreadedReader } from './store/sqlite/threaded-reader.ts';
import { threadUrl } from './thread-url.ts';

const SQLITE_STORE_THREAD = threadUrl(import.meta.url, './store/sqlite/store-thread');

export interface Server {
  /** Where it listens, as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Finishes what was taken, commits it, closes the store. Resolves when all of it is done. */
  stop(): Promise<void>;
  /** Rejects if a part dies that the server cannot do without. */
  readonly broken: Promise<never>;
}

/**
 * Builds the parts in the order in which an event passes through them, starts them in the reverse one (the store before
 * what needs it), and stops them front to back: no new requests, then the commit queue runs empty, then the store closes.
 *
 * @param storeThread module of the thread that the store runs on; the bench puts others in its place
 * @throws SekaliError `data_in_use`, `schema_newer`, `store_damaged`; and what `listen` throws when the port is taken
 */
export async function startServer(
  config: Config,
  log: Logger,
  storeThread: URL = SQLITE_STORE_THREAD,
): Promise<Server> {
  for (const warning of config.warnings) log.warn(warning);
  const dataDir = resolve(config.data);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});

  const lock = DataLock.take(dataDir);
  const queue = new CommitQueue(
    {
      limits: { eventBytesMax: config.eventBytesMax, depthMax: config.depthMax, eventsMax: config.eventsMax },
      storeThread: storeThread.href,
      storeOptions: { dataDir, dedupWindow: config.dedupWindow, retention: config.retention },
    },
    {
      onProgress(message) {
        log.info(message);
      },
      onState(reason) {
        if (reason === undefined) log.info({ keys: queue.keyStats.keys }, 'the store takes events');
        else log.error({ reason }, 'the store cannot take events; trying again');
      },
      onDeath(error) {
        broken.reject(error);
      },
    },
  );
  try {
    await queue.opened;
  } catch (error) {
    lock.release();
    throw error;
  }

  const reader = new ThreadedReader(dataDir);
  const lifecycle = new Lifecycle();
  const admission = new Admission({ bytesMax: config.queueBytesMax, requestsMax: config.queueRequestsMax });
  const answers = new Admission({ bytesMax: config.answerBytesMax, requestsMax: config.connectionsMax });
  const app = await buildApp({ config, admission, answers, queue, reader, lifecycle }, log);

  async function closeStore(): Promise<void> {
    await queue.close();
    await reader.close();
    lock.release();
  }

  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await closeStore();
    throw error;
  }

  return {
    url: urlOf(app.server.address() as AddressInfo),
    broken: broken.promise,
    async stop() {
      lifecycle.draining = true;
      // A client that is still sending has been promised nothing: half the time given, then it is cut off.
      const cut = setTimeout(() => app.server.closeAllConnections(), config.shutdownTimeoutMs / 2);
      await app.close();
      clearTimeout(cut);
      await closeStore();
    },
  };
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
