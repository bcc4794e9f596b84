import { closeSync, readSync } from 'node:fs';
import { damaged, readFailure } from './damage.ts';
import { ENTRY_WORDS } from './entry.ts';
import { bytesOf, PAGE_BYTES, PAGE_WORDS } from './generation-format.ts';
import { type CheckedFile, openChecked } from './generation-load.ts';
import { entriesInPage, pageFault, pageOffset } from './generation-page.ts';

const READ_PAGES = 256;

/**
 * The entries of a generation from the first to the last, read a mebibyte at a time; each page is checked as it is entered.
 * The present entry lies in `words` at `at`, from the first `next` that returned true until the next one.
 */
export class EntryStream {
  readonly words = new Int32Array(READ_PAGES * PAGE_WORDS);
  at = 0;
  readonly file: CheckedFile;
  readonly #bytes = bytesOf(this.words);
  readonly #pageWords = pagesOf(this.words);
  readonly #pageBytes = this.#pageWords.map(bytesOf);
  readonly #id: Int32Array;
  /** The page being read, and where its entries end. */
  #page = -1;
  #end = 0;

  /** @throws SekaliError `store_damaged`, as `next` does */
  constructor(path: string, owner: Uint8Array) {
    this.file = openChecked(path, owner);
    this.#id = this.file.header.id;
  }

  /** The page that the present entry lies in. */
  get page(): number {
    return this.#page;
  }

  /** Goes to the next entry; false after the last. */
  next(): boolean {
    this.at += ENTRY_WORDS;
    return this.at < this.#end || this.#nextPage();
  }

  close(): void {
    closeSync(this.file.fd);
  }

  #nextPage(): boolean {
    const { header, path } = this.file;
    if (this.#page + 1 === header.pages) return false;
    const page = ++this.#page;
    const slot = page % READ_PAGES;
    if (slot === 0) this.#read(page);
    const count = entriesInPage(page, header);
    const expected = { page, count, id: this.#id };
    const fault = pageFault(this.#pageWords[slot]!, this.#pageBytes[slot]!, expected);
    if (fault !== undefined) throw damaged(path, pageOffset(page), fault);
    this.at = slot * PAGE_WORDS;
    this.#end = this.at + count * ENTRY_WORDS;
    return true;
  }

  #read(page: number): void {
    const { fd, header, path } = this.file;
    const length = Math.min(READ_PAGES, header.pages - page) * PAGE_BYTES;
    let got = 0;
    while (got < length) {
      const offset = pageOffset(page) + got;
      try {
        const more = readSync(fd, this.#bytes, got, length - got, offset);
        if (more === 0) throw damaged(path, offset, 'the file is cut short');
        got += more;
      } catch (error) {
        throw readFailure(path, offset, error);
      }
    }
  }
}

function pagesOf(words: Int32Array): Int32Array[] {
  return Array.from({ length: READ_PAGES }, (_, i) => words.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS));
}
