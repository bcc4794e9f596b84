import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keysDir } from '../../src/store/sqlite/connection.ts';
import { SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/sqlite-store.ts';
import type { CommitGroup, Receipts, Store } from '../../src/store/store.ts';
import type { StoreHarness } from '../contract/store/case.ts';
import { memoryDir } from './memory-dir.ts';
import { PassingStore } from './passing-store.ts';

type HarnessOptions = () => Omit<SqliteStoreOptions, 'dataDir'>;

/** The SQLite store on directories that go with the harness. */
export class SqliteHarness implements StoreHarness, AsyncDisposable {
  readonly #options: HarnessOptions;
  readonly #root = mkdtempSync(join(memoryDir(), 'sekali-store-'));
  readonly #open = new Set<Store>();
  #generation = 0;

  constructor(options: HarnessOptions = () => ({})) {
    this.#options = options;
  }

  get dataDir(): string {
    return join(this.#root, String(this.#generation));
  }

  open = async (): Promise<Store> => this.openStore();

  openStore(): SqliteStore {
    const store = SqliteStore.open({ dataDir: this.dataDir, ...this.#options() });
    this.#open.add(store);
    return store;
  }

  /**
   * Goes on with a copy of the files as they lie there now, which is what another process finds after kill -9; what the
   * old store still does, it does to files that nobody reads again.
   *
   * A copy takes time, kill -9 leaves one instant. They come to the same:
   *
   * - Only the thread that copies writes to the database, and copying does not let it: of the database the copy is one
   *   instant, and with it of the manifest of generations.
   * - The thread that seals and merges goes on meanwhile. A generation that the manifest names was complete before it was
   *   named, and stays as it is until after the manifest has stopped naming it: so the copy has all of them, whole. All
   *   else in there may be copied torn, or not at all, as a crash may leave it; it is removed unread with the next open.
   */
  crash = async (_store: Store): Promise<void> => {
    const from = this.dataDir;
    this.#generation++;
    mkdirSync(this.dataDir);
    for (const name of ['sekali.db', 'sekali.db-wal']) {
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(this.dataDir, name));
    }
    copyKeys(keysDir(from), keysDir(this.dataDir));
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

function copyKeys(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    try {
      copyFileSync(join(from, name), join(to, name));
    } catch (error) {
      // Renamed or removed since it was listed, so nothing that the manifest names.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Keys that a generation is sealed at, and generations that are merged: few, so that much of it happens. */
export const TINY_GENERATIONS = { hotKeys: 4, mergeFanIn: 2 } as const;

/**
 * The SQLite store with a generation for each group: its keys are sealed, and merged with those before, when the next one
 * comes, so that every answer of a case but those within one group is found in a file.
 */
export class SealingHarness extends SqliteHarness {
  constructor(options: HarnessOptions = () => ({})) {
    super(() => ({ hotKeys: 1, mergeFanIn: 2, ...options() }));
  }

  override open = async (): Promise<Store> => new SettlingStore(this.openStore());
}

class SettlingStore extends PassingStore {
  readonly #sqlite: SqliteStore;
  constructor(sqlite: SqliteStore) {
    super(sqlite);
    this.#sqlite = sqlite;
  }
  override async append(group: CommitGroup): Promise<Receipts> {
    const receipts = await super.append(group);
    // Once for what is sealed, once for what is merged of it; merges of merges come with later groups.
    for (let turn = 0; turn < 2; turn++) await this.#sqlite.settled();
    return receipts;
  }
}
