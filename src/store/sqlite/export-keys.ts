import { readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { SekaliError } from '../../errors.ts';
import { ENTRY_WORDS, readEntry, reusedEntry } from '../dedup/entry.ts';
import { bytesOf, PAGE_BYTES, PAGE_WORDS } from '../dedup/generation-format.ts';
import type { CheckedFile } from '../dedup/generation-load.ts';
import { entriesInPage, pageFault, pageOffset } from '../dedup/generation-page.ts';
import type { Key } from '../dedup/key.ts';
import { checksumOf, countEntries, ENTRY_BYTES, readEntries } from '../dedup/key-log.ts';
import type { HeldGeneration, Snapshot } from './snapshot.ts';

const READ_PAGES = 256;

/** An entry of the index; valid until the next. */
export interface IndexEntry {
  readonly key: Key;
  readonly position: number;
  readonly content: { high: number; low: number };
  readonly windowClass: number;
}

interface OpenGeneration extends HeldGeneration<CheckedFile> {
  readonly file: CheckedFile;
}

/** All entries of the index of a snapshot, of those of the files and those of the log. */
export class IndexEntries {
  readonly #db: DatabaseSync;
  readonly #generations: OpenGeneration[];

  /** @throws SekaliError `store_damaged`: a file cannot be read, or is not what the manifest says */
  constructor({ db, generations }: Snapshot<CheckedFile>) {
    this.#db = db;
    this.#generations = generations.map(whole);
  }

  /**
   * The entries of these positions, in no order.
   *
   * @throws SekaliError `store_damaged` at the first fault
   */
  *of(first: number, last: number): Generator<IndexEntry> {
    for (const { generation, file } of this.#generations) {
      if (generation.lastPosition < first || generation.firstPosition > last) continue;
      for (const entry of entriesOf(file)) {
        if (entry.position >= first && entry.position <= last) yield entry;
      }
    }
    const rows = this.#db.prepare(
      'SELECT first_position, entries, classes, checksum FROM keys WHERE first_position <= ? ORDER BY first_position',
    );
    for (const { first_position, entries, classes, checksum } of rows.iterate(last)) {
      const from = first_position as number;
      const isRow = entries instanceof Uint8Array && (classes === null || classes instanceof Uint8Array);
      if (
        !isRow ||
        countEntries(entries, classes) === undefined ||
        checksumOf(entries, classes) !== checksum
      ) {
        throw damage(`the log of keys is not what was written from position ${from} on`);
      }
      if (from + entries.byteLength / ENTRY_BYTES <= first) continue;
      for (const entry of readEntries(from, entries, classes)) {
        if (entry.position >= first && entry.position <= last) yield entry;
      }
    }
  }
}

/** The entries of a file that is open, a mebibyte of pages at a time. By its descriptor, for a merge may have removed its name. */
function* entriesOf({ fd, header, generation }: CheckedFile): Generator<IndexEntry> {
  const words = new Int32Array(READ_PAGES * PAGE_WORDS);
  const bytes = bytesOf(words);
  const key = { a: 0, b: 0, c: 0, d: 0 };
  const entry = { key, ...reusedEntry() };
  for (let page = 0; page < header.pages; page++) {
    const slot = page % READ_PAGES;
    if (slot === 0) readPages(fd, bytes, page, header.pages, generation.name);
    const count = entriesInPage(page, header);
    const start = slot * PAGE_WORDS;
    const fault = pageFault(
      words.subarray(start, start + PAGE_WORDS),
      bytes.subarray(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES),
      { page, count, id: header.id },
    );
    if (fault !== undefined) throw damage(`keys/${generation.name}, byte ${pageOffset(page)}: ${fault}`);
    for (let at = start; at < start + count * ENTRY_WORDS; at += ENTRY_WORDS) {
      key.a = words[at]!;
      key.b = words[at + 1]!;
      key.c = words[at + 2]!;
      key.d = words[at + 3]!;
      readEntry(words, at, entry);
      yield entry;
    }
  }
}

function readPages(fd: number, bytes: Uint8Array, page: number, pages: number, name: string): void {
  const length = Math.min(READ_PAGES, pages - page) * PAGE_BYTES;
  for (let got = 0; got < length; ) {
    const more = readSync(fd, bytes, got, length - got, pageOffset(page) + got);
    if (more === 0) throw damage(`keys/${name} is cut short`);
    got += more;
  }
}

function whole({ generation, file, failure }: HeldGeneration<CheckedFile>): OpenGeneration {
  if (file === undefined) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw damage(`keys/${generation.name} cannot be read: ${reason}`);
  }
  const { firstPosition, lastPosition, keys, bytes } = file.generation;
  const isSame =
    firstPosition === generation.firstPosition &&
    lastPosition === generation.lastPosition &&
    keys === generation.keys &&
    bytes === generation.bytes;
  if (!isSame) throw damage(`keys/${generation.name} is not what the manifest says`);
  return { generation, file, failure };
}

export function damage(what: string): SekaliError {
  return new SekaliError(
    'store_damaged',
    `${what}: sekali verify tells all that is damaged, and what mends it; nothing of use was exported`,
  );
}
