import { compareKeys, ENTRY_WORDS } from './entry.ts';

/** Entries that share a bucket, on average. */
const BUCKET_ENTRIES = 4;

/** Entries in some order of their own, and the numbers (from 0) that give them in the order of their keys. */
export interface SortedEntries {
  readonly words: Int32Array;
  readonly order: Int32Array;
}

/**
 * Sorts entries by their keys, into a copy.
 *
 * Keys are evenly spread, so one pass by the upper bits of the first word brings each entry to where its bucket of about
 * four lies, and an insertion sort of numbers finishes the bucket, within a few cache lines. It is right for any keys, and
 * slow for uneven ones, which a keyed hash does not make.
 */
export function sortEntries(words: Int32Array, count: number): SortedEntries {
  const bits = Math.max(0, Math.floor(Math.log2(Math.max(1, count / BUCKET_ENTRIES))));
  // The bits above the lowest of a word that begins at 0: two shifts, for one by 32 would be none at all.
  const shift = 31 - bits;
  const ends = new Int32Array(2 ** bits);
  for (let i = 0; i < count; i++) ends[((words[i * ENTRY_WORDS]! ^ 0x80000000) >>> shift) >>> 1]!++;
  for (let bucket = 1; bucket < ends.length; bucket++) ends[bucket]! += ends[bucket - 1]!;

  const near = new Int32Array(count * ENTRY_WORDS);
  for (let i = count - 1; i >= 0; i--) {
    const from = i * ENTRY_WORDS;
    const to = --ends[((words[from]! ^ 0x80000000) >>> shift) >>> 1]! * ENTRY_WORDS;
    for (let word = 0; word < ENTRY_WORDS; word++) near[to + word] = words[from + word]!;
  }
  // `ends` now has where each bucket begins.
  const order = new Int32Array(count);
  for (let bucket = 0; bucket < ends.length; bucket++) {
    insertionSort(near, order, ends[bucket]!, ends[bucket + 1] ?? count);
  }
  return { words: near, order };
}

function insertionSort(words: Int32Array, order: Int32Array, begin: number, end: number): void {
  for (let entry = begin; entry < end; entry++) {
    let to = entry;
    while (to > begin && compareKeys(words, order[to - 1]! * ENTRY_WORDS, words, entry * ENTRY_WORDS) > 0) {
      order[to] = order[to - 1]!;
      to--;
    }
    order[to] = entry;
  }
}
