import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { QueueBacklog } from './backlog.ts';
import type { Config } from './config.ts';
import { Workers } from './consume/workers.ts';
import type { Deliveries } from './deliver/deliveries.ts';
import { LiveTail } from './deliver/live-tail.ts';
import { openDeliveries } from './deliver/open-deliveries.ts';
import { Webhooks } from './deliver/webhooks/webhooks.ts';
import { buildApp } from './http/app.ts';
import { Lifecycle, type Parts } from './http/parts.ts';
import { Admission } from './ingest/admission.ts';
import { CommitQueue, type CommitQueueEvents } from './ingest/commit-queue.ts';
import type { QueueOptions } from './ingest/ingest-messages.ts';
import type { Logger } from './log.ts';
import { chooseStore } from './store/open-store.ts';
import type { StoredSignal, StoreReader } from './store/store-reader.ts';
import { version } from './version.ts';

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
 * what needs it), and stops them front to back: no new requests, then the commit queue runs empty, then the workers finish what
 * they hold, then the store closes.
 *
 * A database or queue server that is away is waited for: meanwhile it listens, and is live but not ready.
 *
 * @param storeThread module of the thread that the store runs on; the bench puts others in its place
 * @throws SekaliError `data_in_use`, `schema_newer`, `store_damaged`, `config_invalid`; and what `listen` throws when the port
 *   is taken
 */
export async function startServer(config: Config, log: Logger, storeThread?: URL): Promise<Server> {
  for (const warning of config.warnings) log.warn(warning);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const breaks = (error: unknown) => broken.reject(error);

  const store = await chooseStore({ ...config, dataDir: resolve(config.data) });
  const queueOptions = queueOptionsOf(config);
  const waiting = Promise.withResolvers<void>();
  const queue: CommitQueue = new CommitQueue(
    {
      limits: { eventBytesMax: config.eventBytesMax, depthMax: config.depthMax, eventsMax: config.eventsMax },
      storeThread: (storeThread ?? store.thread).href,
      storeOptions: store.options,
      isServerStore: store.isServer,
      queue: queueOptions,
    },
    { ...laneEvents(log, () => queue), onWait: announce(log, waiting.resolve), onDeath: breaks },
  );
  try {
    await Promise.race([queue.opened, waiting.promise]);
  } catch (error) {
    await queue.close();
    store.release();
    throw error;
  }

  const reader = store.openReader();
  const deliveries = await openDeliveriesOf(config, reader, log, breaks).catch(async (error: unknown) => {
    await Promise.all([reader.close(), queue.close()]);
    store.release();
    throw error;
  });
  const backlog = queueOptions && new QueueBacklog(queueOptions);
  const workers = makeWorkers(config, queueOptions, log, breaks);
  queue.opened.then((storeMark) => workers?.start(storeMark), breaks);

  const stored = store.openSignal(queue);
  const served = await serve(config, log, {
    queue,
    backlog,
    workers,
    reader,
    stored,
    deliveries,
    async close() {
      await queue.close();
      await Promise.all([workers?.close(), backlog?.close()]);
      await Promise.all([stored.close?.(), deliveries.close()]);
      await reader.close();
      store.release();
    },
  });
  return { ...served, broken: broken.promise };
}

/** What has been opened behind the edge: where events go to, and where they come from. */
export interface Backend
  extends Pick<Parts, 'queue' | 'backlog' | 'workers' | 'reader' | 'stored' | 'deliveries'> {
  /** Finishes what was taken, then closes all of it. */
  readonly close: () => Promise<void>;
}

/**
 * Puts the edge in front of what has been opened, and listens.
 *
 * @param prepare what else is to be done with the edge before it listens
 * @throws what `listen` throws when the port is taken; the backend is closed then
 */
export async function serve(
  config: Config,
  log: Logger,
  { close, ...backend }: Backend,
  prepare: (app: FastifyInstance, parts: Parts) => void = () => {},
): Promise<Pick<Server, 'url' | 'stop'>> {
  const { deliveries, reader, stored } = backend;
  const webhooks = makeWebhooks(config, deliveries, stored, log);
  const lifecycle = new Lifecycle();
  const parts: Parts = {
    ...backend,
    config,
    admission: new Admission({ bytesMax: config.queueBytesMax, requestsMax: config.queueRequestsMax }),
    answers: new Admission({ bytesMax: config.answerBytesMax, requestsMax: config.connectionsMax }),
    tail: new LiveTail({ reader, stored }),
    webhooks,
    lifecycle,
  };
  const app = await buildApp(parts, log);
  prepare(app, parts);

  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await webhooks.stop(0);
    await close();
    throw error;
  }

  return {
    url: urlOf(app.server.address() as AddressInfo),
    async stop() {
      lifecycle.drain();
      // A client that is still sending has been promised nothing: half the time given, then it is cut off.
      const cut = setTimeout(() => app.server.closeAllConnections(), config.shutdownTimeoutMs / 2);
      await Promise.all([app.close(), webhooks.stop(config.shutdownTimeoutMs / 2)]);
      clearTimeout(cut);
      await close();
    },
  };
}

function laneEvents(
  log: Logger,
  queue: () => CommitQueue,
): Pick<CommitQueueEvents, 'onProgress' | 'onLog' | 'onState'> {
  return {
    onProgress(message) {
      log.info(message);
    },
    onLog(level, message) {
      log[level](message);
    },
    onState(lane, reason) {
      const what = lane === 'stored' ? 'store' : 'queue';
      if (reason !== undefined) log.error({ reason }, `the ${what} cannot take events; trying again`);
      else if (lane === 'stored') log.info({ keys: queue().keyStats.keys }, 'the store takes events');
      else log.info('the queue takes events');
    },
  };
}

function announce(log: Logger, onFirst: () => void): (reason: string) => void {
  return (reason) => {
    log.warn({ reason }, 'a server is away; trying again until it is there');
    onFirst();
  };
}

/** The queue server that is to be in front of the store. */
function queueOptionsOf(config: Config): QueueOptions | undefined {
  const { redisUrl, queueKey, backlogBytesMax, claimMs, redisReplicasMin } = config;
  return redisUrl === undefined
    ? undefined
    : { url: redisUrl, queueKey, bytesMax: backlogBytesMax, claimMs, replicasMin: redisReplicasMin };
}

function makeWorkers(
  { databaseUrl, disableWorkers, workerCount }: Config,
  queue: QueueOptions | undefined,
  log: Logger,
  onDeath: (error: unknown) => void,
): Workers | undefined {
  if (queue === undefined || databaseUrl === undefined || disableWorkers) return undefined;
  return new Workers(
    { databaseUrl, queue, workerCount },
    { onLog: ({ level, message, fields = {} }) => log[level](fields, message), onDeath },
  );
}

async function openDeliveriesOf(
  { data, databaseUrl }: Config,
  reader: StoreReader,
  log: Logger,
  onDeath: (error: unknown) => void,
): Promise<Deliveries> {
  const onWarning = (message: string) => log.warn(message);
  return await openDeliveries({ dataDir: resolve(data), databaseUrl, onWarning, onDeath }, reader);
}

function makeWebhooks(
  { webhookAllow, webhookTimeoutMs, webhookRequestsMax }: Config,
  deliveries: Deliveries,
  stored: StoredSignal,
  log: Logger,
): Webhooks {
  return new Webhooks({
    deliveries,
    stored,
    log,
    userAgent: `Sekali/${version}`,
    allowed: webhookAllow,
    timeoutMs: webhookTimeoutMs,
    requestsMax: webhookRequestsMax,
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
