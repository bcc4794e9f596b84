import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../instant.ts';

/** Topics whose numbers are remembered; any number may exist. */
const REMEMBERED = 10_000;

/** What a commit group adds to a topic. */
export interface TopicChange {
  readonly topicId: number;
  readonly isNew: boolean;
  readonly topic: string;
  events: number;
  duplicates: number;
  conflicts: number;
  firstPosition: number;
  lastPosition: number;
}

/** The numbers of topics, and their counters: one row a topic, written once a group for each topic that the group has. */
export class TopicCounter {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #known = new Map<string, number>();
  readonly #changes = new Map<string, TopicChange>();
  #lastId: number;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT topic_id FROM topics WHERE topic = ?');
    this.#insert = db.prepare(`
      INSERT INTO topics (topic_id, topic, events, duplicates, conflicts, first_position, last_position, first_at_us, last_at_us)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#update = db.prepare(`
      UPDATE topics SET
        events = events + ?, duplicates = duplicates + ?, conflicts = conflicts + ?,
        last_position = max(last_position, ?), last_at_us = CASE WHEN ? > 0 THEN ? ELSE last_at_us END
      WHERE topic_id = ?`);
    this.#lastId = Number(db.prepare('SELECT coalesce(max(topic_id), 0) AS id FROM topics').get()?.['id']);
  }

  /** The change of this group to a topic, to be counted up. */
  change(topic: string): TopicChange {
    const change = this.#changes.get(topic);
    if (change) return change;
    const known = this.#known.get(topic) ?? (this.#find.get(topic)?.['topic_id'] as number | undefined);
    const started: TopicChange = {
      topicId: known ?? ++this.#lastId,
      isNew: known === undefined,
      topic,
      events: 0,
      duplicates: 0,
      conflicts: 0,
      firstPosition: 0,
      lastPosition: 0,
    };
    this.#changes.set(topic, started);
    this.#remember(topic, started.topicId);
    return started;
  }

  /** Writes the changes of the group. */
  flush(at: Instant): void {
    for (const change of this.#changes.values()) {
      const { topicId, events, duplicates, conflicts, firstPosition, lastPosition } = change;
      if (change.isNew) {
        this.#insert.run(
          topicId,
          change.topic,
          events,
          duplicates,
          conflicts,
          firstPosition,
          lastPosition,
          at,
          at,
        );
      } else this.#update.run(events, duplicates, conflicts, lastPosition, events, at, topicId);
    }
    this.#changes.clear();
  }

  #remember(topic: string, topicId: number): void {
    this.#known.set(topic, topicId);
    if (this.#known.size <= REMEMBERED) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
