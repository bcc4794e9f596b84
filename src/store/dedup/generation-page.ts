import { ENTRY_WORDS } from './entry.ts';
import { CHECKED_BYTES, CHECKSUM, checksum, PAGE_BYTES, PAGE_ENTRIES } from './generation-format.ts';

// A page, after its entries.
const COUNT = PAGE_ENTRIES * ENTRY_WORDS;
const PAGE_NUMBER = COUNT + 1;
const PAGE_ID = COUNT + 2;

export function pageOffset(page: number): number {
  return PAGE_BYTES * (1 + page);
}

/** Writes what follows the entries of a page. */
export function closePage(words: Int32Array, bytes: Uint8Array, page: number, count: number, id: Int32Array) {
  words.fill(0, count * ENTRY_WORDS);
  words[COUNT] = count;
  words[PAGE_NUMBER] = page;
  words[PAGE_ID] = id[0]!;
  words[PAGE_ID + 1] = id[1]!;
  words[CHECKSUM] = checksum(bytes.subarray(0, CHECKED_BYTES));
}

/** Why a page is not the one that was written, or undefined. */
export function pageFault(
  words: Int32Array,
  bytes: Uint8Array,
  { page, count, id }: { page: number; count: number; id: Int32Array },
): string | undefined {
  if (words[CHECKSUM] !== checksum(bytes.subarray(0, CHECKED_BYTES))) {
    return 'the page does not fit its checksum';
  }
  if (words[PAGE_ID] !== id[0] || words[PAGE_ID + 1] !== id[1]) return 'the page is of another file';
  if (words[PAGE_NUMBER] !== page) return `page ${words[PAGE_NUMBER]} is in the place of page ${page}`;
  return words[COUNT] === count ? undefined : `the page has ${words[COUNT]} entries instead of ${count}`;
}

/** Entries in a page of a file. */
export function entriesInPage(page: number, { keys, pages }: { keys: number; pages: number }): number {
  return page < pages - 1 ? PAGE_ENTRIES : keys - (pages - 1) * PAGE_ENTRIES;
}
