import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { StoreHarness } from '../contract/store/case.ts';

/** The SQLite store on directories that go with the harness. */
export class SqliteHarness implements StoreHarness, AsyncDisposable {
  readonly #options: () => Omit<SqliteStoreOptions, 'dataDir'>;
  readonly #root = mkdtempSync(join(tmpdir(), 'sekali-store-'));
  readonly #open = new Set<Store>();
  #generation = 0;

  constructor(options: () => Omit<SqliteStoreOptions, 'dataDir'> = () => ({})) {
    this.#options = options;
  }

  get dataDir(): string {
    return join(this.#root, String(this.#generation));
  }

  open = async (): Promise<Store> => {
    const store = SqliteStore.open({ dataDir: this.dataDir, ...this.#options() });
    this.#open.add(store);
    return store;
  };

  /**
   * Goes on with a copy of the files as they lie there now, which is what another process finds after kill -9; what the
   * old store still does, it does to files that nobody reads again.
   */
  crash = async (_store: Store): Promise<void> => {
    const from = this.dataDir;
    this.#generation++;
    mkdirSync(this.dataDir);
    for (const name of ['sekali.db', 'sekali.db-wal']) {
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(this.dataDir, name));
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) {
      try {
        await store.close();
      } catch {
        // closed by the case
      }
    }
    rmSync(this.#root, { recursive: true, force: true });
  }
}
