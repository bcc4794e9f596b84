import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { damaged, readFailure, setAside } from './damage.ts';
import { ENTRY_WORDS, KEY_WORDS, type ReusedEntry, readEntry } from './entry.ts';
import type { Forgetter } from './forget.ts';
import { type Generation, idOf, type LoadedGeneration } from './generation.ts';
import { bytesOf, DIRECTORY_WORDS, PAGE_BYTES, PAGE_WORDS } from './generation-format.ts';
import { loadGeneration } from './generation-load.ts';
import { entriesInPage, pageFault, pageOffset } from './generation-page.ts';
import type { Key } from './key.ts';
import { BLOCK_WORDS, type KeyFilter } from './key-filter.ts';

/** A page is read, searched and forgotten within one call: all files share the memory for it. */
const page = new Int32Array(PAGE_WORDS);
const pageBytes = bytesOf(page);

/** A generation that is open for look-ups: its filter and directory in memory, its entries in the file. */
export class GenerationFile {
  readonly generation: Generation;
  readonly filter: KeyFilter;
  readonly #path: string;
  readonly #id: Int32Array;
  readonly #fd: number;
  readonly #directory: Int32Array;
  readonly #pages: number;
  readonly #newestOfClass: LoadedGeneration['newestOfClass'];

  /** Opens what has just been written, and is in memory still. */
  constructor(dir: string, loaded: LoadedGeneration) {
    this.generation = loaded.generation;
    this.#path = join(dir, this.generation.name);
    this.#id = idOf(this.generation.name)!;
    this.#directory = loaded.directory;
    this.filter = { words: loaded.filter, blocks: loaded.filter.length / BLOCK_WORDS };
    this.#pages = loaded.directory.length / DIRECTORY_WORDS;
    this.#newestOfClass = loaded.newestOfClass;
    this.#fd = openSync(this.#path, 'r');
  }

  /** @throws SekaliError `store_damaged`: the file is not the one that the manifest names */
  static open(dir: string, generation: Generation, owner: Uint8Array): GenerationFile {
    return new GenerationFile(dir, loadGeneration(dir, generation, owner));
  }

  /** Memory held. */
  get bytes(): number {
    return this.#directory.byteLength + this.filter.words.byteLength;
  }

  /**
   * Looks a key up with one read. Worth it when the filter says that it may be there.
   *
   * @throws SekaliError `store_damaged`; the file has been set aside then
   */
  find(key: Key, entry: ReusedEntry): ReusedEntry | undefined {
    const number = this.#pageOf(key);
    if (number < 0) return undefined;
    try {
      this.#read(number);
    } catch (error) {
      throw setAside(this.#path, error);
    }
    let low = 0;
    let high = entriesInPage(number, { keys: this.generation.keys, pages: this.#pages }) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = compareKey(page, middle * ENTRY_WORDS, key);
      if (order === 0) return readEntry(page, middle * ENTRY_WORDS, entry);
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Whether nothing in it has to be kept. */
  isForgotten(forgetter: Forgetter): boolean {
    return (
      this.#newestOfClass?.every(([windowClass, newest]) => newest < forgetter.before(windowClass)) ?? false
    );
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The last page that does not begin after a key: guessed, for keys are evenly spread, and then walked to. */
  #pageOf(key: Key): number {
    const directory = this.#directory;
    let number = Math.floor(((key.a + 2 ** 31) / 2 ** 32) * this.#pages);
    while (number >= 0 && compareKey(directory, number * DIRECTORY_WORDS, key) > 0) number--;
    while (number + 1 < this.#pages && compareKey(directory, (number + 1) * DIRECTORY_WORDS, key) <= 0) {
      number++;
    }
    return number;
  }

  #read(number: number): void {
    const offset = pageOffset(number);
    let bytes: number;
    try {
      bytes = readSync(this.#fd, pageBytes, 0, PAGE_BYTES, offset);
    } catch (error) {
      throw readFailure(this.#path, offset, error);
    }
    const fault =
      bytes < PAGE_BYTES
        ? 'the file is cut short'
        : pageFault(page, pageBytes, {
            page: number,
            count: entriesInPage(number, { keys: this.generation.keys, pages: this.#pages }),
            id: this.#id,
          });
    if (fault !== undefined) throw damaged(this.#path, offset, fault);
  }
}

function compareKey(words: Int32Array, at: number, key: Key): number {
  return (
    words[at]! - key.a ||
    words[at + 1]! - key.b ||
    words[at + 2]! - key.c ||
    words[at + KEY_WORDS - 1]! - key.d
  );
}
