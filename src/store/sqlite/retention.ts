import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { failpoint } from '../../failpoint.ts';
import { type Retention, ruleFor, type TopicRules } from '../../topic-rules.ts';
import type { Block } from './block.ts';
import { Overdue } from './overdue.ts';
import { BlockReader } from './read-blocks.ts';
import { TopicAge } from './topic-age.ts';

/** Topics that one bite looks at. */
const TOPICS_A_BITE = 100;

/** Blocks that one bite reads at most, and time after which it reads no more. */
const BLOCKS_A_BITE = 128;
const BITE_MS = 2;

/**
 * Blocks before the first one of a topic at which retiring it begins: others that lose their events of the same time, which
 * is what a rule for many topics does, begin about there.
 */
const BLOCKS_BEFORE = 16;

/** A topic that is in fewer of the blocks than one in so many is retired from its own blocks, and none of the others. */
const SPARSE = 4;

/** What a bite has come to. */
export type Bite = 'retired' | 'looked' | 'round' | 'done';

/**
 * Retires events that are over the limits of their topic, oldest first, in bites that take 2 to 5 ms of the store's thread
 * (medians), each a transaction of its own.
 *
 * Retired is what lies below the topic's `retired_before`; readers go by that. In the same transaction the events leave their
 * blocks: a block in which nothing is left goes, any other is written again without them. So a crash leaves a bite done or
 * not done. Keys stay where they are.
 *
 * A bite begins with one topic, and takes along whatever else is overdue in the blocks that it reads: what they have of sixty
 * topics is taken out of them at once, not in sixty bites (0.6 µs an event instead of 122). One topic of ten that lie in the
 * same blocks, and the others stay, costs 13 µs an event, for all blocks are written again.
 */
export class RetentionSweep {
  readonly #db: DatabaseSync;
  readonly #rules: TopicRules<Retention>;
  readonly #blocks: BlockReader;
  readonly #age: TopicAge;
  readonly #noteTopics: () => void;
  readonly #topics: StatementSync;
  readonly #topic: StatementSync;
  readonly #blocksOf: StatementSync;
  readonly #blocksFrom: StatementSync;
  readonly #blockBefore: StatementSync;
  readonly #deleteBlock: StatementSync;
  readonly #deleteTopicBlocks: StatementSync;
  readonly #updateTopicBlock: StatementSync;
  readonly #updateBlock: StatementSync;
  readonly #retire: StatementSync;
  /** Topics up to this number have been looked at in this sweep. */
  #cursor = 0;
  /** A topic of this sweep had more over its limits than one bite takes. */
  #hasMore = false;

  /** @param noteTopics brings `topic_blocks` up to date, in the transaction that is open */
  constructor(db: DatabaseSync, rules: TopicRules<Retention>, noteTopics: () => void) {
    this.#db = db;
    this.#rules = rules;
    this.#blocks = new BlockReader(db);
    this.#age = new TopicAge(db);
    this.#noteTopics = noteTopics;
    const columns = 'topic_id, topic, events - retired AS events, bytes - retired_bytes AS bytes';
    this.#topics = db.prepare(
      `SELECT ${columns} FROM topics WHERE topic_id > ? ORDER BY topic_id LIMIT ${TOPICS_A_BITE}`,
    );
    this.#topic = db.prepare(`SELECT ${columns} FROM topics WHERE topic_id = ?`);
    this.#blocksOf = db.prepare(`
      SELECT first_position AS first FROM topic_blocks
      WHERE topic_id = ? ORDER BY first_position LIMIT ${BLOCKS_A_BITE}`);
    this.#blocksFrom = db.prepare(`
      SELECT first_position AS first FROM blocks
      WHERE first_position >= ? ORDER BY first_position LIMIT ${BLOCKS_A_BITE}`);
    this.#blockBefore = db.prepare(`
      SELECT min(first) AS first FROM (
        SELECT first_position AS first FROM blocks
        WHERE first_position <= ? ORDER BY first_position DESC LIMIT ${BLOCKS_BEFORE})`);
    this.#deleteBlock = db.prepare('DELETE FROM blocks WHERE first_position = ?');
    this.#updateBlock = db.prepare('UPDATE blocks SET directory = ?, records = ? WHERE first_position = ?');
    this.#deleteTopicBlocks = db.prepare(
      'DELETE FROM topic_blocks WHERE topic_id = ? AND first_position < ?',
    );
    this.#updateTopicBlock = db.prepare(
      'UPDATE topic_blocks SET events = ?, bytes = ? WHERE topic_id = ? AND first_position = ?',
    );
    this.#retire = db.prepare(`
      UPDATE topics SET retired_before = max(retired_before, ?), retired = retired + ?,
        retired_bytes = retired_bytes + ? WHERE topic_id = ?`);
  }

  /**
   * Does a little. The caller has no transaction open.
   *
   * @returns `retired` when it has retired something, `looked` when it has only looked; at the end of a sweep `done`, or
   *   `round` when it left something over that is due already
   */
  bite(nowUs: number): Bite {
    if (this.#rules.length === 0) return 'done';
    const rows = this.#topics.all(this.#cursor);
    for (const row of rows) {
      // One bite each: a topic that is over its limits again by the next bite must not keep the others waiting.
      this.#cursor = row['topic_id'] as number;
      if (row['events'] === 0) continue;
      const topic = this.#overdueOf(row, nowUs);
      if (topic?.isOver(this.#age.oldestOf(topic.topicId))) {
        this.#transact(() => this.#retireFrom(topic, nowUs));
        return 'retired';
      }
    }
    if (rows.length === TOPICS_A_BITE) return 'looked';
    const outcome = this.#hasMore ? 'round' : 'done';
    this.#cursor = 0;
    this.#hasMore = false;
    return outcome;
  }

  /** What of a topic is over its limits; undefined when it has none. */
  #overdueOf(row: Record<string, unknown>, nowUs: number): Overdue | undefined {
    const limits = ruleFor(this.#rules, row['topic'] as string);
    if (limits === undefined) return undefined;
    const live = { events: row['events'] as number, bytes: row['bytes'] as number };
    return new Overdue(row['topic_id'] as number, limits, live, nowUs);
  }

  #transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#noteTopics();
      work();
      failpoint('retention.before');
      this.#db.exec('COMMIT');
      failpoint('retention.after');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Retires events of a topic, and of others that lie in the same blocks, as far as one bite goes. */
  #retireFrom(topic: Overdue, nowUs: number): void {
    const first = this.#age.firstBlockOf(topic.topicId);
    if (first === undefined) return;
    const { blocks, isSparse } = this.#blocksToRead(topic.topicId, first);
    const topics = new Map<number, Overdue | undefined>([[topic.topicId, topic]]);
    const topicOf = (topicId: number, block: Block) => {
      if (topics.has(topicId)) return topics.get(topicId);
      const found = isSparse ? undefined : this.#companion(topicId, block.firstPosition, nowUs);
      topics.set(topicId, found);
      return found;
    };
    const giveUpAt = performance.now() + BITE_MS;
    for (const position of blocks) {
      const hasRetired = this.#retireIn(this.#read(position), topicOf);
      if (position < first) continue;
      if (performance.now() > giveUpAt || (!hasRetired && !topic.isOpen)) break;
    }
    failpoint('retention.begun');
    if (topic.isOpen) this.#hasMore = true;
    for (const each of topics.values()) if (each !== undefined && each.retired > 0) this.#write(each);
  }

  /** Where the blocks begin that a bite may read, in their order: those of the topic alone, if it is in few of them. */
  #blocksToRead(topicId: number, first: number): { blocks: number[]; isSparse: boolean } {
    const own = this.#blocksOf.all(topicId).map((row) => row['first'] as number);
    const from = this.#blockBefore.get(first)?.['first'] as number;
    const all = this.#blocksFrom.all(from).map((row) => row['first'] as number);
    const among = own.filter((position) => position <= all.at(-1)!).length;
    const isSparse = among < own.length && among * SPARSE < all.length;
    return { blocks: isSparse ? own : all, isSparse };
  }

  /** Another topic of a block, if its events can go along: the first that it still has begin here. */
  #companion(topicId: number, firstPosition: number, nowUs: number): Overdue | undefined {
    const row = this.#topic.get(topicId);
    if (row === undefined) throw new Error(`a block names topic ${topicId}, which is not there`);
    const overdue = this.#overdueOf(row, nowUs);
    return this.#age.firstBlockOf(topicId) === firstPosition ? overdue : undefined;
  }

  /** Retires what is overdue in a block. @returns whether anything was */
  #retireIn(block: Block, topicOf: (topicId: number, block: Block) => Overdue | undefined): boolean {
    const storedAt = this.#age.storedAt(block.firstPosition);
    const gone = new Set<number>();
    for (let n = 0; n < block.length; n++) {
      if (topicOf(block.topicId(n), block)?.take(block, n, storedAt)) gone.add(n);
    }
    if (gone.size === 0) return false;
    const rest = gone.size === block.length ? undefined : block.without((n) => gone.has(n));
    if (rest === undefined) this.#deleteBlock.run(block.firstPosition);
    else this.#updateBlock.run(rest.directory, rest.records, block.firstPosition);
    return true;
  }

  #write({ topicId, retired, retiredBytes, retiredBefore, lastBlock, left }: Overdue): void {
    this.#retire.run(retiredBefore, retired, retiredBytes, topicId);
    this.#deleteTopicBlocks.run(topicId, left.events === 0 ? lastBlock + 1 : lastBlock);
    if (left.events > 0) this.#updateTopicBlock.run(left.events, left.bytes, topicId, lastBlock);
  }

  #read(firstPosition: number): Block {
    const block = this.#blocks.at(firstPosition);
    if (block?.firstPosition !== firstPosition) {
      throw new Error(`a block at ${firstPosition} is not there`);
    }
    return block;
  }
}
