import type { Fingerprint } from '../../event.ts';
import { readEntry, reusedEntry } from './entry.ts';
import { HotTable } from './hot-table.ts';
import type { Key } from './key.ts';
import type { KeyEntry } from './key-index.ts';

/**
 * The keys in memory: the hot table, and the frozen ones before it. Of the frozen ones the oldest may have been sealed
 * already; they stay until their generation is adopted.
 */
export class HotTables {
  readonly #entry = reusedEntry();
  readonly #keys: number;
  #hot: HotTable;
  /** Oldest first. */
  #frozen: HotTable[] = [];
  #sealed = 0;
  /** A table that is out of use, kept for the next one. */
  #spare: HotTable | undefined;

  /** @param keys that a table is frozen at, roughly */
  constructor(keys: number) {
    this.#keys = keys;
    this.#hot = new HotTable(keys);
  }

  get size(): number {
    return this.#frozen.reduce((sum, { count }) => sum + count, this.#hot.count);
  }

  /** Memory held. */
  get bytes(): number {
    const tables = [this.#hot, ...this.#frozen, ...(this.#spare ? [this.#spare] : [])];
    return tables.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get hotCount(): number {
    return this.#hot.count;
  }

  get frozenCount(): number {
    return this.#frozen.length;
  }

  /** Frozen tables that have not been sealed. */
  get waitingCount(): number {
    return this.#frozen.length - this.#sealed;
  }

  find(key: Key): KeyEntry | undefined {
    let at = this.#hot.find(key);
    if (at >= 0) return readEntry(this.#hot.words, at, this.#entry);
    for (let i = this.#frozen.length - 1; i >= 0; i--) {
      const table = this.#frozen[i]!;
      at = table.find(key);
      if (at >= 0) return readEntry(table.words, at, this.#entry);
    }
    return undefined;
  }

  add(key: Key, position: number, content: Fingerprint, windowClass: number): void {
    this.#hot.put(key, position, content, windowClass);
  }

  /** @returns the table that was hot; it does not change any more */
  freeze(): HotTable {
    const table = this.#hot;
    this.#frozen.push(table);
    this.#hot = this.#spare ?? new HotTable(this.#keys);
    this.#spare = undefined;
    return table;
  }

  /** Tables are sealed in the order they were frozen in. @returns the one that has just been */
  noteSealed(): HotTable {
    return this.#frozen[this.#sealed++]!;
  }

  /** Lets a sealed table go, now that its generation is looked up. */
  release(table: HotTable): void {
    this.#frozen = this.#frozen.filter((each) => each !== table);
    this.#sealed--;
    table.clear();
    this.#spare ??= table;
  }
}
