import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TopicFilter } from '../../topic-filter.ts';
import type { EventQuery } from '../store-reader.ts';
import type { Block } from './block.ts';
import { CounterReader } from './count-events.ts';
import { BLOCKS_AT_ONCE, BlockReader } from './read-blocks.ts';
import { topicsIndexedThrough } from './topic-block-log.ts';
import { TopicNames } from './topic-names.ts';

/** Rows of `topic_blocks` that one statement sums up, and topics, before others get their turn: about 1 ms. */
const ROWS_AT_ONCE = 10_000;
const TOPICS_AT_ONCE = 200;

export type CountQuery = Pick<EventQuery, 'topic' | 'patterns' | 'after'>;

/**
 * Counts events without reading them: `topic_blocks` has how many of each topic a block has, and retired ones leave it as they leave
 * their block. Read are only the block that the position lies in, and the newest ones, which are not noted yet (topic-block-log.ts).
 */
export class MatchCounter {
  readonly #db: DatabaseSync;
  readonly #counters: CounterReader;
  readonly #blocks: BlockReader;
  readonly #topics: TopicNames;
  readonly #allTopics: StatementSync;
  readonly #sum: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#counters = new CounterReader(db);
    this.#blocks = new BlockReader(db);
    this.#topics = new TopicNames(db);
    this.#allTopics = db.prepare('SELECT topic_id, topic FROM topics');
    this.#sum = db.prepare(`
      SELECT count(*) AS blocks, sum(events) AS events, max(first_position) AS last FROM (
        SELECT first_position, events FROM topic_blocks
        WHERE topic_id = ? AND first_position BETWEEN ? AND ? ORDER BY first_position LIMIT ${ROWS_AT_ONCE})`);
  }

  async count({ topic, patterns, after = 0 }: CountQuery): Promise<number> {
    const matching = this.#matching(topic, patterns);
    if (matching.size === 0) return 0;
    const last = this.#counters.lastPosition();
    const through = topicsIndexedThrough(this.#db);
    const first = this.#blocks.holderOf(after + 1);
    // At most as many as may wait to be noted, and in this turn: in the next one they may be noted.
    let events = this.#read(Math.max(first, through + 1), last, after, matching);
    if (first > through) return events;
    const whole = first > after ? first : first + 1;
    if (whole > first) events += this.#read(first, first, after, matching);
    return events + (await this.#sumNoted(whole, through, matching));
  }

  #matching(topic: string | undefined, patterns: readonly string[] | undefined): Set<number> {
    if (topic !== undefined) {
      const id = this.#topics.idOf(topic);
      return new Set(id === undefined ? [] : [id]);
    }
    const filter = patterns && new TopicFilter(patterns);
    const matching = new Set<number>();
    for (const row of this.#allTopics.iterate()) {
      if (filter?.matches(row['topic'] as string) === false) continue;
      matching.add(row['topic_id'] as number);
    }
    return matching;
  }

  /** Of the blocks that begin from here to there. */
  #read(oldest: number, newest: number, after: number, matching: Set<number>): number {
    let events = 0;
    for (let from = oldest; ; ) {
      let read = 0;
      for (const block of this.#blocks.some({ topicId: undefined, oldest: from, newest, ascending: true })) {
        events += countIn(block, after, matching);
        from = block.firstPosition + 1;
        read++;
      }
      if (read < BLOCKS_AT_ONCE) return events;
    }
  }

  async #sumNoted(oldest: number, through: number, matching: Set<number>): Promise<number> {
    let events = 0;
    let topics = 0;
    for (const topicId of matching) {
      if (++topics % TOPICS_AT_ONCE === 0) await nextTurn();
      for (let from = oldest; ; ) {
        const row = this.#sum.get(topicId, from, through) as Record<string, number | null>;
        events += row['events'] ?? 0;
        if (row['blocks']! < ROWS_AT_ONCE) break;
        from = row['last']! + 1;
        await nextTurn();
      }
    }
    return events;
  }
}

function countIn(block: Block, after: number, matching: Set<number>): number {
  let events = 0;
  for (let n = 0; n < block.length; n++) {
    if (block.position(n) > after && matching.has(block.topicId(n))) events++;
  }
  return events;
}
