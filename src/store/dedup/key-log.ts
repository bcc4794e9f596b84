import type { Fingerprint } from '../../event.ts';
import { KEY_BYTES, type Key } from './key.ts';
import type { KeyIndex } from './key-index.ts';

/** Bytes of an entry in the log of keys: the key, then the content's fingerprint, little-endian words. */
export const ENTRY_BYTES = KEY_BYTES + 8;

/** Packs the keys of one commit group, in the order of their positions. */
export class KeyLogWriter {
  #view = new DataView(new ArrayBuffer(1024 * ENTRY_BYTES));
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  clear(): void {
    this.#length = 0;
  }

  add(key: Key, content: Fingerprint): void {
    if (this.#length === this.#view.byteLength) {
      this.#view = new DataView(this.#view.buffer.transfer(this.#length * 2));
    }
    const view = this.#view;
    const at = this.#length;
    view.setInt32(at, key.a, true);
    view.setInt32(at + 4, key.b, true);
    view.setInt32(at + 8, key.c, true);
    view.setInt32(at + 12, key.d, true);
    view.setInt32(at + 16, content.high, true);
    view.setInt32(at + 20, content.low, true);
    this.#length += ENTRY_BYTES;
  }

  /** The packed entries; valid until the next `add` or `clear`. */
  entries(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#length);
  }
}

/**
 * Adds the packed entries of consecutive positions to an index.
 *
 * @returns how many there were; a fraction when the last one is cut short
 */
export function addEntries(index: KeyIndex, firstPosition: number, entries: Uint8Array): number {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const key: Key = { a: 0, b: 0, c: 0, d: 0 };
  const content = { high: 0, low: 0 };
  const count = Math.floor(entries.byteLength / ENTRY_BYTES);
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_BYTES;
    key.a = view.getInt32(at, true);
    key.b = view.getInt32(at + 4, true);
    key.c = view.getInt32(at + 8, true);
    key.d = view.getInt32(at + 12, true);
    content.high = view.getInt32(at + 16, true);
    content.low = view.getInt32(at + 20, true);
    index.add(key, firstPosition + i, content);
  }
  return entries.byteLength / ENTRY_BYTES;
}
