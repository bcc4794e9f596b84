import { readSync } from 'node:fs';
import { messageOf } from '../../../message-of.ts';
import { compareKeys, ENTRY_WORDS, KEY_WORDS, positionAt } from '../../dedup/entry.ts';
import { bytesOf, DIRECTORY_WORDS, PAGE_BYTES, PAGE_WORDS } from '../../dedup/generation-format.ts';
import type { CheckedFile } from '../../dedup/generation-load.ts';
import { entriesInPage, pageFault, pageOffset } from '../../dedup/generation-page.ts';
import { type KeyFilter, lastHolding } from '../../dedup/key-filter.ts';

const READ_PAGES = 256;

export interface GenerationVisitor {
  /** An entry that is what was written. */
  entry(words: Int32Array, at: number): void;
  fault(offsetBytes: number, what: string): void;
  /** After some pages have been read. */
  read(entries: number): void;
}

/**
 * Reads every page of a generation, also behind one that is damaged, and checks all that can be checked: checksums, the
 * order of the keys, that positions are those of the file, that directory and filter lead to every key.
 */
export function visitGeneration(file: CheckedFile, visitor: GenerationVisitor): void {
  const { header } = file;
  const words = new Int32Array(READ_PAGES * PAGE_WORDS);
  const bytes = bytesOf(words);
  const previous = new Int32Array(KEY_WORDS);
  let hasPrevious = false;
  const filters: KeyFilter[] = [{ words: file.filter, blocks: header.filterBlocks }];
  const key = { a: 0, b: 0, c: 0, d: 0 };

  const visitEntry = (at: number, offset: number) => {
    if (hasPrevious && compareKeys(previous, 0, words, at) >= 0)
      visitor.fault(offset, 'the keys are not in order');
    for (let word = 0; word < KEY_WORDS; word++) previous[word] = words[at + word]!;
    hasPrevious = true;
    key.a = words[at]!;
    key.b = words[at + 1]!;
    key.c = words[at + 2]!;
    key.d = words[at + 3]!;
    if (lastHolding(filters, 0, key) < 0) visitor.fault(offset, 'the filter denies a key');
    const position = positionAt(words, at);
    if (position < header.firstPosition || position > header.lastPosition) {
      visitor.fault(offset, `an entry has position ${position}, which is not one of this file`);
    } else visitor.entry(words, at);
  };

  for (let page = 0; page < header.pages; page++) {
    const slot = page % READ_PAGES;
    if (slot === 0) {
      const got = readPages(file, bytes, page);
      if (got !== undefined) {
        visitor.fault(pageOffset(page) + got.bytes, got.reason);
        bytes.fill(0, got.bytes);
      }
    }
    const count = entriesInPage(page, header);
    const start = slot * PAGE_WORDS;
    const fault = pageFault(
      words.subarray(start, start + PAGE_WORDS),
      bytes.subarray(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES),
      { page, count, id: header.id },
    );
    if (fault !== undefined) {
      visitor.fault(pageOffset(page), fault);
      hasPrevious = false;
      continue;
    }
    if (compareKeys(file.directory, page * DIRECTORY_WORDS, words, start) !== 0) {
      visitor.fault(pageOffset(page), 'the directory names another key for this page');
    }
    for (let n = 0; n < count; n++) {
      const at = start + n * ENTRY_WORDS;
      visitEntry(at, pageOffset(page) + n * ENTRY_WORDS * 4);
    }
    visitor.read(count);
  }
}

/** @returns how many bytes came and why no more, when not all did */
function readPages(
  { fd, header }: CheckedFile,
  bytes: Uint8Array,
  page: number,
): { bytes: number; reason: string } | undefined {
  const length = Math.min(READ_PAGES, header.pages - page) * PAGE_BYTES;
  let got = 0;
  try {
    while (got < length) {
      const more = readSync(fd, bytes, got, length - got, pageOffset(page) + got);
      if (more === 0) return { bytes: got, reason: 'the file is cut short' };
      got += more;
    }
    return undefined;
  } catch (error) {
    return { bytes: got, reason: messageOf(error) };
  }
}
