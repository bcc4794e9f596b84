import { crc32 } from 'node:zlib';
import type { Fingerprint } from '../../event.ts';
import { CONTENT_LOW, EVENT_WORDS, type EventPack, KEY } from '../event-pack.ts';
import { KEY_BYTES, type Key } from './key.ts';

/** Bytes of an entry in the log of keys: the key, then the content's fingerprint, little-endian words. */
export const ENTRY_BYTES = KEY_BYTES + 8;
const ENTRY_WORDS = ENTRY_BYTES / 4;

/** An entry, with the position that its place in the log gives it. */
export interface LoggedKey {
  readonly key: Key;
  readonly position: number;
  readonly content: Fingerprint;
  /** 0: kept for ever. Others: see key-index.ts. */
  readonly windowClass: number;
}

/** Packs the keys of one commit group, in the order of their positions. */
export class KeyLogWriter {
  #words = new Int32Array(1024 * ENTRY_WORDS);
  #classes = new Uint16Array(1024);
  #length = 0;
  #hasClasses = false;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  clear(): void {
    this.#length = 0;
    this.#hasClasses = false;
  }

  /** Adds the key and content of event `i` of a pack. */
  add(pack: EventPack, i: number, windowClass: number): void {
    if (this.#length === this.#classes.length) this.#grow();
    const from = pack.words;
    const to = this.#words;
    let at = this.#length * ENTRY_WORDS;
    const start = i * EVENT_WORDS;
    for (let word = start + KEY; word <= start + CONTENT_LOW; word++) to[at++] = from[word]!;
    this.#classes[this.#length++] = windowClass;
    if (windowClass !== 0) this.#hasClasses = true;
  }

  /** The packed entries; valid until the next `add` or `clear`. */
  entries(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#length * ENTRY_BYTES);
  }

  /** The window class of each entry, 16 bits each; null when all of them are 0. */
  classes(): Uint8Array | null {
    return this.#hasClasses ? new Uint8Array(this.#classes.buffer, 0, this.#length * 2) : null;
  }

  #grow(): void {
    const [words, classes] = [this.#words, this.#classes];
    this.#words = new Int32Array(words.length * 2);
    this.#words.set(words);
    this.#classes = new Uint16Array(classes.length * 2);
    this.#classes.set(classes);
  }
}

/** The entries of a row of the log; undefined when its columns are not what a writer writes. */
export function* readEntries(
  firstPosition: number,
  entries: Uint8Array,
  classes: Uint8Array | null,
): Generator<LoggedKey> {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const key: Key = { a: 0, b: 0, c: 0, d: 0 };
  const content = { high: 0, low: 0 };
  const entry = { key, position: 0, content, windowClass: 0 };
  const count = countEntries(entries, classes) ?? 0;
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_BYTES;
    key.a = view.getInt32(at, true);
    key.b = view.getInt32(at + 4, true);
    key.c = view.getInt32(at + 8, true);
    key.d = view.getInt32(at + 12, true);
    content.high = view.getInt32(at + 16, true);
    content.low = view.getInt32(at + 20, true);
    entry.position = firstPosition + i;
    entry.windowClass = classes === null ? 0 : classes[i * 2]! | (classes[i * 2 + 1]! << 8);
    yield entry;
  }
}

/** CRC-32 of a row: a bit that turns in a key would otherwise give a wrong verdict one day. */
export function checksumOf(entries: Uint8Array, classes: Uint8Array | null): number {
  return crc32(classes ?? '', crc32(entries));
}

/** How many entries a row has; undefined when it is cut short. */
export function countEntries(entries: Uint8Array, classes: Uint8Array | null): number | undefined {
  const count = entries.byteLength / ENTRY_BYTES;
  return Number.isInteger(count) && (classes === null || classes.byteLength === count * 2)
    ? count
    : undefined;
}
