import type { Fingerprint } from '../../event.ts';
import type { Key } from './key.ts';

/** What is known of a key: where its first event lies, and the fingerprint of what that event said. */
export interface KeyEntry {
  position: number;
  content: Fingerprint;
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

  /** The entry of a key, or undefined. The answer is valid until the next call. */
  find(key: Key): Readonly<KeyEntry> | undefined;

  /** Adds a key that `find` has just not found. */
  add(key: Key, position: number, content: Fingerprint): void;
}
