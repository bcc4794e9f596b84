import type { Fingerprint } from '../../event.ts';
import type { Key } from './key.ts';

/** What is known of a key: where its first event lies, what that event said, and how long the key is to be kept. */
export interface KeyEntry {
  /** Below 2^48. */
  position: number;
  content: Fingerprint;
  /** 0: kept for ever. 1 to 65535: until the store says that the positions of this class can be forgotten. */
  windowClass: number;
}

/**
 * Looks keys up: the one question of dedup. To whoever implements it:
 *
 * The caller is the one writer of a store and calls from one thread. `find` sees every `add` at once, also within the
 * transaction that is still open. The index is derived from the store's log of keys and holds no truth of its own: it
 * is filled from that log when the store opens, and thrown away, never mended, when a transaction fails.
 *
 * Not its job: durability, transactions, which verdict an entry means.
 */
export interface KeyIndex {
  /** Keys held. */
  readonly size: number;

  /** Memory held, in bytes. */
  readonly bytes: number;

  /**
   * The newest entry of a key, or undefined. The answer is valid until the next call. It may be one that can be forgotten
   * and has not been yet: the caller judges it by its class.
   */
  find(key: Key): Readonly<KeyEntry> | undefined;

  /** Adds a key that `find` has just not found, or found and the caller judged forgotten. Without a class, it is kept for ever. */
  add(key: Key, position: number, content: Fingerprint, windowClass?: number): void;
}
