import type { Fingerprint } from '../../event.ts';
import type { Key } from './key.ts';
import type { KeyEntry } from './key-index.ts';

/**
 * An entry of the key index: eight 32-bit words, the same in memory and in a file, so that nothing is converted on the way.
 *
 *     0-3  the key, which is also the order of entries in a file (words compared as signed numbers)
 *     4    position, lower 32 bits
 *     5    position, upper 16 bits | window class, 16 bits
 *     6-7  fingerprint of the content: high, low
 */
export const ENTRY_WORDS = 8;

/** The words of the key, which come first. */
export const KEY_WORDS = 4;

/** An entry that is written into again and again. */
export interface ReusedEntry extends KeyEntry {
  content: { high: number; low: number };
}

export function reusedEntry(): ReusedEntry {
  return { position: 0, content: { high: 0, low: 0 }, windowClass: 0 };
}

export function writeEntry(
  words: Int32Array,
  at: number,
  key: Key,
  position: number,
  content: Fingerprint,
  windowClass: number,
): void {
  words[at] = key.a;
  words[at + 1] = key.b;
  words[at + 2] = key.c;
  words[at + 3] = key.d;
  words[at + 4] = position | 0;
  words[at + 5] = (Math.floor(position / 2 ** 32) << 16) | windowClass;
  words[at + 6] = content.high;
  words[at + 7] = content.low;
}

export function readEntry(words: Int32Array, at: number, entry: ReusedEntry): ReusedEntry {
  entry.position = positionAt(words, at);
  entry.windowClass = windowClassAt(words, at);
  entry.content.high = words[at + 6]!;
  entry.content.low = words[at + 7]!;
  return entry;
}

export function positionAt(words: Int32Array, at: number): number {
  return (words[at + 5]! >>> 16) * 2 ** 32 + (words[at + 4]! >>> 0);
}

export function windowClassAt(words: Int32Array, at: number): number {
  return words[at + 5]! & 0xffff;
}

export function hasKey(words: Int32Array, at: number, key: Key): boolean {
  return words[at] === key.a && words[at + 1] === key.b && words[at + 2] === key.c && words[at + 3] === key.d;
}

/** Below 0, 0 or above 0: how the key at one place stands to the key at another. */
export function compareKeys(left: Int32Array, leftAt: number, right: Int32Array, rightAt: number): number {
  for (let word = 0; word < KEY_WORDS; word++) {
    const difference = left[leftAt + word]! - right[rightAt + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
