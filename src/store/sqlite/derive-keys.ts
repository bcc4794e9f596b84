import type { DatabaseSync } from 'node:sqlite';
import { fingerprintOf } from '../../content/fingerprint.ts';
import { SekaliError } from '../../errors.ts';
import { KeyHasher, type TopicState } from '../dedup/key.ts';
import type { LoggedKey } from '../dedup/key-log.ts';
import type { Block } from './block.ts';
import { readMeta } from './meta.ts';
import { BlockReader } from './read-blocks.ts';

/** Topics that are remembered; any number may come. */
const REMEMBERED = 10_000;

/**
 * Derives keys from the log of events: what was lost of the index comes back from here. It costs the scanning of each payload,
 * some 2 µs an event.
 */
export class KeyDeriver {
  readonly #db: DatabaseSync;
  readonly #blocks: BlockReader;
  readonly #hasher: KeyHasher;
  readonly #seed: { high: number; low: number };
  readonly #topics = new Map<number, TopicState>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#blocks = new BlockReader(db);
    const { keySecret, contentSeed } = readMeta(db);
    this.#hasher = new KeyHasher(keySecret);
    this.#seed = contentSeed;
  }

  /**
   * The entries of all positions from `first` to `last`; each is valid until the next.
   *
   * @throws SekaliError `store_damaged` when the log does not have one of them
   */
  *entries(first: number, last: number): Generator<LoggedKey> {
    let expected = first;
    for (const { block, n } of this.#events(first, last)) {
      const position = block.position(n);
      if (position !== expected) throw missing(expected, position - 1);
      expected++;
      yield this.#entry(block, n);
    }
    if (expected <= last) throw missing(expected, last);
  }

  *#events(first: number, last: number): Generator<{ block: Block; n: number }> {
    for (const block of this.#blocks.from(first)) {
      if (block.firstPosition > last) return;
      for (let n = 0; n < block.length; n++) {
        const position = block.position(n);
        if (position >= first && position <= last) yield { block, n };
      }
    }
  }

  #entry(block: Block, n: number): LoggedKey {
    const id = Buffer.from(block.eventId(n));
    const { a, b, c, d } = this.#hasher.hashId(this.#stateOf(block.topicId(n)), id, 0, id.length);
    const content = fingerprintOf(block.payloadBytes(n), this.#seed);
    // Under which dedup window it was stored is lost: it is kept for ever, which is at least as long.
    return { key: { a, b, c, d }, position: block.position(n), content, windowClass: 0 };
  }

  #stateOf(topicId: number): TopicState {
    let state = this.#topics.get(topicId);
    if (state === undefined) {
      const row = this.#db.prepare('SELECT topic FROM topics WHERE topic_id = ?').get(topicId);
      if (row === undefined) {
        throw new SekaliError('store_damaged', `an event names topic ${topicId}, which is not there`);
      }
      state = this.#hasher.topicState(row['topic'] as string);
      if (this.#topics.size >= REMEMBERED) this.#topics.clear();
      this.#topics.set(topicId, state);
    }
    return state;
  }
}

function missing(first: number, last: number): SekaliError {
  return new SekaliError(
    'store_damaged',
    `the keys of positions ${first} to ${last} are lost, and their events are not there to derive them from: restore a backup`,
  );
}
