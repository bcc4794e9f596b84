import { threadUrl } from '../thread-url.ts';
import type { DedupWindow, Retention, TopicRules } from '../topic-rules.ts';
import type { StoredSignal, StoreReader } from './store-reader.ts';

/** Which store it is to be, and what it is told. */
export interface StoreSettings {
  readonly dataDir: string;
  /** The store is in PostgreSQL; if undefined, in files of the directory. */
  readonly databaseUrl: string | undefined;
  readonly skipMigrate: boolean;
  readonly dedupWindow: TopicRules<DedupWindow>;
  readonly retention: TopicRules<Retention>;
}

/** A store that can be opened, on a thread of its own (serve-store.ts), and read from this one. */
export interface StoreSite {
  /** Module of the thread, and what it is given. */
  readonly thread: URL;
  readonly options: unknown;
  /** It is on a server, which may be away and come back; several processes may use it at once. */
  readonly isServer: boolean;
  /** To be called when the thread has opened the store; where it is on a server, also before. */
  openReader(): StoreReader;
  /** @param own tells of what this process has stored, which is all there is where no other process stores anything */
  openSignal(own: StoredSignal): StoredSignal;
  /** Lets another process have it. To be called when all that was opened is closed. */
  release(): void;
}

/**
 * Each adapter is loaded by who uses it: the driver of the other costs a start nothing.
 *
 * @throws SekaliError `data_in_use`
 */
export async function chooseStore(settings: StoreSettings): Promise<StoreSite> {
  return settings.databaseUrl === undefined
    ? await sqliteSite(settings)
    : await postgresSite(settings, settings.databaseUrl);
}

async function sqliteSite({ dataDir, dedupWindow, retention }: StoreSettings): Promise<StoreSite> {
  const [{ DataLock }, { ThreadedReader }] = await Promise.all([
    import('./sqlite/data-lock.ts'),
    import('./sqlite/threaded-reader.ts'),
  ]);
  const lock = DataLock.take(dataDir);
  return {
    thread: threadUrl(import.meta.url, './sqlite/store-thread'),
    options: { dataDir, dedupWindow, retention },
    isServer: false,
    openReader: () => new ThreadedReader(dataDir),
    openSignal: (own) => own,
    release: () => lock.release(),
  };
}

async function postgresSite(
  { dedupWindow, retention, skipMigrate }: StoreSettings,
  databaseUrl: string,
): Promise<StoreSite> {
  const [{ PostgresReader }, { Waker }] = await Promise.all([
    import('./postgres/postgres-reader.ts'),
    import('./postgres/waker.ts'),
  ]);
  return {
    thread: threadUrl(import.meta.url, './postgres/store-thread'),
    options: { databaseUrl, dedupWindow, retention, migrate: !skipMigrate },
    isServer: true,
    openReader: () => PostgresReader.open({ databaseUrl }),
    openSignal: () => new Waker({ databaseUrl }),
    release() {},
  };
}
