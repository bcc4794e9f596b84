import type { Fingerprint } from '../../event.ts';
import { ENTRY_WORDS, hasKey, writeEntry } from './entry.ts';
import type { Key } from './key.ts';
import { sharedWords } from './shared-words.ts';

const ENTRIES_MIN = 1024;

/** Bits of a slot that number an entry; those above are of its key, so that a wrong entry is hardly ever looked at. */
const NUMBER_BITS = 21;
const NUMBER_MASK = 2 ** NUMBER_BITS - 1;

/**
 * The newest keys, in memory: entries in the order they came, and a table of slots that finds them. A slot is 0, or the
 * number of an entry (from 1) below 11 bits of its key. At most half of the slots are taken.
 *
 * It has the room that is asked for, 40 bytes a key, of which the system gives only what is written to; it doubles beyond
 * that, which holds up the commit that meets it by some 40 ms at half a million keys. The entries lie in shared memory, so that
 * the thread that seals them reads them where they are while this one goes on looking keys up.
 */
export class HotTable {
  /** Positions that it covers; 0 while it is empty. */
  firstPosition = 0;
  lastPosition = 0;
  #count = 0;
  #words: Int32Array;
  #slots: Int32Array;

  /** @param keys that it has room for at first */
  constructor(keys = ENTRIES_MIN) {
    const entries = Math.max(ENTRIES_MIN, 2 ** Math.ceil(Math.log2(keys)));
    this.#words = sharedWords(entries * ENTRY_WORDS);
    this.#slots = new Int32Array(entries * 2);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#words.byteLength + this.#slots.byteLength;
  }

  /** The entries; those in use are the first `count`. Over shared memory. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Where in {@link words} the entry of a key begins, or -1. */
  find(key: Key): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const tag = key.d >>> NUMBER_BITS;
    for (let slot = key.c & mask; ; slot = (slot + 1) & mask) {
      const value = slots[slot]!;
      if (value === 0) return -1;
      if (value >>> NUMBER_BITS !== tag) continue;
      const at = ((value & NUMBER_MASK) - 1) * ENTRY_WORDS;
      if (hasKey(this.#words, at, key)) return at;
    }
  }

  /** Adds a key, or takes the place of what was known of it. Positions come in ascending order. */
  put(key: Key, position: number, content: Fingerprint, windowClass: number): void {
    if (this.#count === NUMBER_MASK) throw new RangeError('one transaction added more than a million keys');
    if (this.#count * ENTRY_WORDS === this.#words.length) this.#grow();
    let at = this.find(key);
    if (at < 0) {
      at = this.#count * ENTRY_WORDS;
      this.#take(key.c, key.d, ++this.#count);
    }
    writeEntry(this.#words, at, key, position, content, windowClass);
    this.firstPosition ||= position;
    this.lastPosition = position;
  }

  /** Makes it empty, and keeps its size. */
  clear(): void {
    this.firstPosition = 0;
    this.lastPosition = 0;
    this.#count = 0;
    this.#slots.fill(0);
  }

  #take(c: number, d: number, number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = c & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = number | (d & ~NUMBER_MASK);
  }

  #grow(): void {
    const words = sharedWords(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 1; number <= this.#count; number++) {
      const at = (number - 1) * ENTRY_WORDS;
      this.#take(words[at + 2]!, words[at + 3]!, number);
    }
  }
}
