import { connect } from '../../src/store/postgres/connection.ts';
import { PostgresStore, type PostgresStoreOptions } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { StoreHarness } from '../contract/store/case.ts';

/** The PostgreSQL store on a database of its own. */
export class PostgresHarness implements StoreHarness, AsyncDisposable {
  readonly databaseUrl: string;
  readonly #options: Omit<PostgresStoreOptions, 'databaseUrl'>;
  readonly #open = new Set<Store>();

  /** @param databaseUrl of an empty database */
  constructor(databaseUrl: string, options: Omit<PostgresStoreOptions, 'databaseUrl'> = {}) {
    this.databaseUrl = databaseUrl;
    this.#options = options;
  }

  open = async (): Promise<Store> => await this.openStore();

  async openStore(): Promise<PostgresStore> {
    const store = await PostgresStore.open({ databaseUrl: this.databaseUrl, ...this.#options });
    this.#open.add(store);
    return store;
  }

  /** Leaves the store and its connections as they are: what kill -9 leaves in the database is what it had committed. */
  crash = async (_store: Store): Promise<void> => {};

  /** Ends the connections of all stores, as a server does that is stopped at once. */
  async cutConnections(): Promise<void> {
    const client = await connect(this.databaseUrl);
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await client.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) await store.close();
  }
}
