import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { failpoint } from '../../failpoint.ts';
import { ClassTable } from './class-table.ts';
import { ENTRY_WORDS, KEY_WORDS } from './entry.ts';
import { idOf, type LoadedGeneration, newName, type Origin } from './generation.ts';
import {
  bytesOf,
  checksum,
  DIRECTORY_WORDS,
  generationOf,
  type Header,
  PAGE_BYTES,
  PAGE_ENTRIES,
  PAGE_WORDS,
} from './generation-format.ts';
import { encodeHeader } from './generation-header.ts';
import { closePage } from './generation-page.ts';
import { addToFilter, BLOCK_WORDS, filterBlocks, foldFilter } from './key-filter.ts';
import { sharedWords } from './shared-words.ts';
import { syncDirectory } from './sync-directory.ts';

const BUFFER_PAGES = 256;

/** Written, but not yet on the disk: beyond it the disk is waited for, lest one long fsync at the end hold up the commits. */
const UNSYNCED_PAGES_MAX = 4096;

export interface WriterOptions {
  dir: string;
  /** The data directory that the file belongs to. */
  owner: Uint8Array;
  origin: Origin;
  firstPosition: number;
  lastPosition: number;
  /** How many keys will come at most. */
  keysMax: number;
}

/**
 * Writes a generation: entries in ascending order of their keys, then `finish`. Until then the file has the name of a
 * temporary one; under its own name it is complete and on the disk.
 */
export class GenerationWriter {
  readonly #options: WriterOptions;
  readonly #name: string;
  readonly #id: Int32Array;
  readonly #fd: number;
  readonly #buffer = new Int32Array(BUFFER_PAGES * PAGE_WORDS);
  readonly #pageWords = pagesOf(this.#buffer);
  readonly #pageBytes = this.#pageWords.map(bytesOf);
  readonly #directory: Int32Array;
  readonly #filter: Int32Array;
  readonly #blocks: number;
  readonly #classes = new ClassTable();
  #keys = 0;
  #pages = 0;
  #entriesInPage = 0;
  #syncedPages = 0;
  #isOpen = true;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#name = newName(options.origin, options.firstPosition, options.lastPosition);
    this.#id = idOf(this.#name)!;
    this.#blocks = filterBlocks(options.keysMax);
    this.#filter = sharedWords(this.#blocks * BLOCK_WORDS);
    this.#directory = sharedWords(Math.ceil(options.keysMax / PAGE_ENTRIES) * DIRECTORY_WORDS);
    this.#fd = openSync(this.#temporaryPath, 'wx');
  }

  add(words: Int32Array, at: number): void {
    const slot = this.#pages % BUFFER_PAGES;
    const page = this.#pageWords[slot]!;
    const to = this.#entriesInPage * ENTRY_WORDS;
    for (let word = 0; word < ENTRY_WORDS; word++) page[to + word] = words[at + word]!;
    if (to === 0) {
      const entry = this.#pages * DIRECTORY_WORDS;
      for (let word = 0; word < KEY_WORDS; word++) this.#directory[entry + word] = words[at + word]!;
    }
    addToFilter(this.#filter, this.#blocks, words, at);
    this.#classes.see(words, at);
    this.#keys++;
    if (++this.#entriesInPage === PAGE_ENTRIES) this.#endPage();
  }

  /** @returns undefined, and leaves no file, when there was no key */
  finish(): LoadedGeneration | undefined {
    if (this.#keys === 0) {
      this.abandon();
      return undefined;
    }
    if (this.#entriesInPage > 0) this.#endPage();
    this.#writeBuffer(this.#pages % BUFFER_PAGES);
    // Copied, that the memory held is that of the keys that came.
    const directory = sharedWords(this.#pages * DIRECTORY_WORDS);
    directory.set(this.#directory.subarray(0, directory.length));
    const filter = foldFilter(this.#filter, this.#keys);
    const header = this.#header(directory, filter);
    const directoryAt = PAGE_BYTES * (1 + this.#pages);
    writeFully(this.#fd, bytesOf(directory), directoryAt);
    writeFully(this.#fd, bytesOf(filter), directoryAt + directory.byteLength);
    writeFully(this.#fd, bytesOf(encodeHeader(header)), 0);
    this.#publish();
    const generation = generationOf(this.#name, header);
    return { generation, directory, filter, newestOfClass: header.newestOfClass };
  }

  /** Leaves nothing behind, also after `finish` has failed. */
  abandon(): void {
    this.#close();
    rmSync(this.#temporaryPath, { force: true });
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }

  get #temporaryPath(): string {
    return join(this.#options.dir, `${this.#name}.tmp`);
  }

  #publish(): void {
    const { dir, origin } = this.#options;
    fsyncSync(this.#fd);
    this.#close();
    failpoint(`${origin}.written`);
    renameSync(this.#temporaryPath, join(dir, this.#name));
    syncDirectory(dir);
    failpoint(`${origin}.renamed`);
  }

  #header(directory: Int32Array, filter: Int32Array): Header {
    const { owner, firstPosition, lastPosition } = this.#options;
    return {
      owner,
      id: this.#id,
      firstPosition,
      lastPosition,
      keys: this.#keys,
      pages: this.#pages,
      filterBlocks: filter.length / BLOCK_WORDS,
      filterChecksum: checksum(bytesOf(filter)),
      directoryChecksum: checksum(bytesOf(directory)),
      newestOfClass: this.#classes.newest(),
    };
  }

  #endPage(): void {
    const slot = this.#pages % BUFFER_PAGES;
    closePage(this.#pageWords[slot]!, this.#pageBytes[slot]!, this.#pages, this.#entriesInPage, this.#id);
    this.#entriesInPage = 0;
    this.#pages++;
    if (slot === BUFFER_PAGES - 1) this.#writeBuffer(BUFFER_PAGES);
  }

  /** Writes the last so many pages. */
  #writeBuffer(pages: number): void {
    writeFully(
      this.#fd,
      bytesOf(this.#buffer).subarray(0, pages * PAGE_BYTES),
      PAGE_BYTES * (1 + this.#pages - pages),
    );
    if (this.#pages - this.#syncedPages < UNSYNCED_PAGES_MAX) return;
    fdatasyncSync(this.#fd);
    this.#syncedPages = this.#pages;
  }
}

function pagesOf(buffer: Int32Array): Int32Array[] {
  return Array.from({ length: BUFFER_PAGES }, (_, i) =>
    buffer.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS),
  );
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, offset + written);
  }
}
