import type { Fingerprint } from '../../event.ts';
import { damaged } from './damage.ts';
import { compareKeys, readEntry, reusedEntry } from './entry.ts';
import { EntryStream } from './entry-stream.ts';
import { DIRECTORY_WORDS, PAGE_WORDS } from './generation-format.ts';
import { pageOffset } from './generation-page.ts';
import type { Key } from './key.ts';
import { lastHolding } from './key-filter.ts';

/** An entry with its key, each an object of its own. */
export interface KeyedEntry {
  key: Key;
  position: number;
  content: Fingerprint;
  windowClass: number;
}

/**
 * Reads every entry of a generation's file and checks all that can be checked: each checksum, the order of the keys, that
 * positions lie in the range of the file, that directory and filter lead to every key.
 *
 * @throws SekaliError `store_damaged` at the first fault; its members `file`, `offset` (in bytes) and `reason` say where
 */
export function* scanGeneration(path: string, owner: Uint8Array): Generator<KeyedEntry, void> {
  const stream = new EntryStream(path, owner);
  try {
    const previous = new Int32Array(DIRECTORY_WORDS);
    for (let first = true; stream.next(); first = false) {
      const { words, at } = stream;
      if (!first && compareKeys(previous, 0, words, at) >= 0) {
        throw fault(stream, 'the keys are not in order');
      }
      previous.set(words.subarray(at, at + DIRECTORY_WORDS));
      yield checkedEntry(stream);
    }
  } finally {
    stream.close();
  }
}

function checkedEntry(stream: EntryStream): KeyedEntry {
  const { words, at, page, file } = stream;
  const { directory, filter, header } = file;
  if (at % PAGE_WORDS === 0 && compareKeys(directory, page * DIRECTORY_WORDS, words, at) !== 0) {
    throw fault(stream, 'the directory names another key for this page');
  }
  const key = { a: words[at]!, b: words[at + 1]!, c: words[at + 2]!, d: words[at + 3]! };
  if (lastHolding([{ words: filter, blocks: header.filterBlocks }], 0, key) < 0)
    throw fault(stream, 'the filter denies a key');
  const entry = readEntry(words, at, reusedEntry());
  if (entry.position < header.firstPosition || entry.position > header.lastPosition) {
    throw fault(stream, `position ${entry.position} is not one of this file`);
  }
  return { key, position: entry.position, content: entry.content, windowClass: entry.windowClass };
}

function fault({ file, page, at }: EntryStream, reason: string) {
  return damaged(file.path, pageOffset(page) + (at % PAGE_WORDS) * 4, reason);
}
