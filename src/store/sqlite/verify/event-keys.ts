import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fingerprintOf } from '../../../content/fingerprint.ts';
import { KeyHasher, type TopicState } from '../../dedup/key.ts';
import type { Block } from '../block.ts';
import type { Meta } from '../meta.ts';
import { fingerprint32 } from './key-table.ts';

/** Topics that are remembered; any number may come. */
const REMEMBERED = 10_000;

/** Computes anew what the key index should say of an event. */
export class EventKeys {
  readonly #hasher: KeyHasher;
  readonly #seed: Meta['contentSeed'];
  readonly #topicOf: StatementSync;
  readonly #states = new Map<number, TopicState>();

  constructor(db: DatabaseSync, { keySecret, contentSeed }: Meta) {
    this.#hasher = new KeyHasher(keySecret);
    this.#seed = contentSeed;
    this.#topicOf = db.prepare('SELECT topic FROM topics WHERE topic_id = ?');
  }

  /** {@link fingerprint32} of key and content of an event, or why there is none. */
  of(block: Block, n: number): number | string {
    const state = this.#stateOf(block.topicId(n));
    if (state === undefined) return `it names topic ${block.topicId(n)}, which is not there`;
    const id = Buffer.from(block.eventId(n));
    const { a, b, c, d } = this.#hasher.hashId(state, id, 0, id.length);
    try {
      const { high, low } = fingerprintOf(block.payloadBytes(n), this.#seed);
      return fingerprint32(a, b, c, d, high, low);
    } catch {
      return 'its payload is no JSON';
    }
  }

  #stateOf(topicId: number): TopicState | undefined {
    let state = this.#states.get(topicId);
    if (state === undefined) {
      const topic = this.#topicOf.get(topicId)?.['topic'];
      if (typeof topic !== 'string') return undefined;
      state = this.#hasher.topicState(topic);
      if (this.#states.size >= REMEMBERED) this.#states.clear();
      this.#states.set(topicId, state);
    }
    return state;
  }
}
