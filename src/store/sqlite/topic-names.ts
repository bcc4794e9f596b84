import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../store-reader.ts';
import type { Block } from './block.ts';

/** Topics that are remembered during a read; any number may come. */
const SEEN_MAX = 10_000;

interface NamedTopic {
  readonly topic: string;
  readonly retiredBefore: number;
}

/** The topics behind the numbers in blocks, and which of their events are retired, as it stands at one moment. */
export class TopicNames {
  readonly #byId: StatementSync;
  readonly #idOf: StatementSync;
  #seen = new Map<number, NamedTopic>();

  constructor(db: DatabaseSync) {
    this.#byId = db.prepare('SELECT topic, retired_before FROM topics WHERE topic_id = ?');
    this.#idOf = db.prepare('SELECT topic_id FROM topics WHERE topic = ?');
  }

  /** For a read that begins now: what was seen before may have changed. */
  fresh(): this {
    this.#seen = new Map();
    return this;
  }

  idOf(topic: string): number | undefined {
    return this.#idOf.get(topic)?.['topic_id'] as number | undefined;
  }

  isRetired(topicId: number, position: number): boolean {
    return position < this.#named(topicId).retiredBefore;
  }

  nameOf(topicId: number): string {
    return this.#named(topicId).topic;
  }

  /** Event `n` of a block, unless it is retired. */
  visible(block: Block, n: number): StoredEvent | undefined {
    return this.isRetired(block.topicId(n), block.position(n)) ? undefined : this.toEvent(block, n);
  }

  toEvent(block: Block, n: number): StoredEvent {
    return {
      position: block.position(n),
      topic: this.nameOf(block.topicId(n)),
      event_id: block.eventId(n),
      timestamp: block.timestamp(n),
      source: block.source(n),
      payload: block.payload(n),
      processed_at: block.processedAt,
      sequence: block.sequence(n),
    };
  }

  #named(topicId: number): NamedTopic {
    let named = this.#seen.get(topicId);
    if (named === undefined) {
      const row = this.#byId.get(topicId);
      if (row === undefined) throw new Error(`a block names topic ${topicId}, which is not there`);
      named = { topic: row['topic'] as string, retiredBefore: row['retired_before'] as number };
      if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
      this.#seen.set(topicId, named);
    }
    return named;
  }
}
