import type { Fingerprint } from '../../event.ts';
import type { Key } from './key.ts';
import type { KeyEntry, KeyIndex } from './key-index.ts';

/**
 * All keys in memory, in open-addressing tables of typed arrays: 32 bytes a slot, at most three quarters full, so 43 to 85
 * bytes a key; 512 MiB for ten million.
 *
 * The keys are spread over 256 tables by their first byte, so that growing copies a 256th of them at a time: at twelve
 * million keys one such copy takes 4.5 ms in the median, and all of them at once would take 256 times that.
 */
export class MemoryKeyIndex implements KeyIndex {
  readonly #shards = Array.from({ length: 256 }, () => new Table(INITIAL_SLOTS));
  readonly #entry: KeyEntry & { content: { high: number; low: number } } = {
    position: 0,
    content: { high: 0, low: 0 },
  };

  get size(): number {
    return this.#shards.reduce((sum, table) => sum + table.used, 0);
  }

  get bytes(): number {
    return this.#shards.reduce((sum, table) => sum + table.words.byteLength, 0);
  }

  find(key: Key): Readonly<KeyEntry> | undefined {
    const { words, mask } = this.#shards[key.d & 255]!;
    for (let slot = key.a & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT_WORDS;
      const positionHigh = words[at + POSITION_HIGH]!;
      const positionLow = words[at + POSITION_LOW]! >>> 0;
      if (positionHigh === 0 && positionLow === 0) return undefined;
      if (
        words[at] === key.a &&
        words[at + 1] === key.b &&
        words[at + 2] === key.c &&
        words[at + 3] === key.d
      ) {
        const entry = this.#entry;
        entry.position = positionHigh * 2 ** 32 + positionLow;
        entry.content.high = words[at + CONTENT_HIGH]!;
        entry.content.low = words[at + CONTENT_LOW]!;
        return entry;
      }
    }
  }

  add(key: Key, position: number, content: Fingerprint): void {
    const shard = key.d & 255;
    let table = this.#shards[shard]!;
    if (table.used * 4 >= (table.mask + 1) * 3) {
      table = table.grown();
      this.#shards[shard] = table;
    }
    table.used++;
    const at = table.freeSlot(key.a);
    const { words } = table;
    words[at] = key.a;
    words[at + 1] = key.b;
    words[at + 2] = key.c;
    words[at + 3] = key.d;
    words[at + POSITION_HIGH] = Math.floor(position / 2 ** 32);
    words[at + POSITION_LOW] = position | 0;
    words[at + CONTENT_HIGH] = content.high;
    words[at + CONTENT_LOW] = content.low;
  }
}

// A slot: four words of key, two of position (both 0: the slot is free, for positions begin at 1), two of content.
const SLOT_WORDS = 8;
const POSITION_HIGH = 4;
const POSITION_LOW = 5;
const CONTENT_HIGH = 6;
const CONTENT_LOW = 7;
const INITIAL_SLOTS = 64;

class Table {
  readonly words: Int32Array;
  readonly mask: number;
  used = 0;

  constructor(slots: number) {
    this.words = new Int32Array(slots * SLOT_WORDS);
    this.mask = slots - 1;
  }

  /** Index of the first word of the free slot for a key that begins with this word. */
  freeSlot(firstWord: number): number {
    const { words, mask } = this;
    for (let slot = firstWord & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT_WORDS;
      if (words[at + POSITION_HIGH] === 0 && words[at + POSITION_LOW] === 0) return at;
    }
  }

  grown(): Table {
    const table = new Table((this.mask + 1) * 2);
    table.used = this.used;
    const { words } = this;
    for (let at = 0; at < words.length; at += SLOT_WORDS) {
      if (words[at + POSITION_HIGH] === 0 && words[at + POSITION_LOW] === 0) continue;
      table.words.set(words.subarray(at, at + SLOT_WORDS), table.freeSlot(words[at]!));
    }
    return table;
  }
}
