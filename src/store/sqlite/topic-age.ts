import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Blocks whose time is remembered: topics whose events lie in the same blocks ask for the same ones. */
const REMEMBERED = 10_000;

/**
 * When blocks were stored, for what retires them by age, in microseconds since 1970. Each is asked by itself: a clock that
 * jumps makes later blocks older than earlier ones, so nothing follows from the time of their neighbours.
 */
export class TopicAge {
  readonly #firstOf: StatementSync;
  readonly #lastOf: StatementSync;
  readonly #firstWaiting: StatementSync;
  readonly #storedAt: StatementSync;
  readonly #after: StatementSync;
  readonly #known = new Map<number, number>();

  constructor(db: DatabaseSync) {
    this.#firstOf = db.prepare('SELECT min(first_position) AS first FROM topic_blocks WHERE topic_id = ?');
    this.#lastOf = db.prepare(
      'SELECT max(first_position) AS first FROM topic_blocks WHERE topic_id = ? AND first_position <= ?',
    );
    this.#firstWaiting = db.prepare(`
      SELECT min(first_position) AS first FROM blocks
      WHERE first_position > (SELECT topics_indexed_through FROM counters)`);
    this.#storedAt = db.prepare('SELECT processed_at_us / 1000 AS ms FROM blocks WHERE first_position = ?');
    this.#after = db.prepare('SELECT min(first_position) AS first FROM blocks WHERE first_position > ?');
  }

  /**
   * When the oldest event of a topic may have been stored that is still there. Of a topic that is in none of the noted
   * blocks, it is the time of the oldest block that is not noted yet (topic-block-log.ts).
   */
  oldestOf(topicId: number): number {
    const first = this.firstBlockOf(topicId) ?? positionIn(this.#firstWaiting.get());
    return first === undefined ? Number.POSITIVE_INFINITY : this.storedAt(first);
  }

  /** When the block was stored that begins here. */
  storedAt(firstPosition: number): number {
    const known = this.#known.get(firstPosition);
    if (known !== undefined) return known;
    const ms = this.#storedAt.get(firstPosition)?.['ms'] as number | undefined;
    if (ms === undefined) throw new Error(`no block begins at ${firstPosition}`);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(firstPosition, ms * 1000);
    return ms * 1000;
  }

  /** Where the block begins that follows this one. */
  blockAfter(firstPosition: number): number | undefined {
    return positionIn(this.#after.get(firstPosition));
  }

  /** The first of the noted blocks that have events of a topic. */
  firstBlockOf(topicId: number): number | undefined {
    return positionIn(this.#firstOf.get(topicId));
  }

  /** The last of them up to this one. */
  lastBlockOf(topicId: number, firstPosition: number): number | undefined {
    return positionIn(this.#lastOf.get(topicId, firstPosition));
  }
}

function positionIn(row: Record<string, unknown> | undefined): number | undefined {
  return (row?.['first'] as number | null | undefined) ?? undefined;
}
