import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../instant.ts';

/** Topics whose numbers are remembered; any number may exist. */
const REMEMBERED = 10_000;

/** What a commit group adds to a topic. */
export interface TopicChange {
  readonly topicId: number;
  readonly isNew: boolean;
  readonly topic: string;
  /** Its events below this position are retired. */
  readonly retiredBefore: number;
  events: number;
  /** Of their records. */
  bytes: number;
  duplicates: number;
  conflicts: number;
  firstPosition: number;
  lastPosition: number;
}

interface KnownTopic {
  readonly topicId: number;
  readonly retiredBefore: number;
}

/** The numbers of topics, and their counters: one row a topic, written once a group for each topic that the group has. */
export class TopicCounter {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #known = new Map<string, KnownTopic>();
  readonly #changes = new Map<string, TopicChange>();
  #lastId: number;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT topic_id, retired_before FROM topics WHERE topic = ?');
    this.#insert = db.prepare(`
      INSERT INTO topics (topic_id, topic, events, bytes, duplicates, conflicts, first_position, last_position, first_at_us, last_at_us)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#update = db.prepare(`
      UPDATE topics SET
        events = events + ?, bytes = bytes + ?, duplicates = duplicates + ?, conflicts = conflicts + ?,
        last_position = max(last_position, ?), last_at_us = CASE WHEN ? > 0 THEN ? ELSE last_at_us END
      WHERE topic_id = ?`);
    this.#lastId = Number(db.prepare('SELECT coalesce(max(topic_id), 0) AS id FROM topics').get()?.['id']);
  }

  /** The change of this group to a topic, to be counted up. */
  change(topic: string): TopicChange {
    const change = this.#changes.get(topic);
    if (change) return change;
    const known = this.#known.get(topic) ?? this.#read(topic);
    const started: TopicChange = {
      topicId: known?.topicId ?? ++this.#lastId,
      isNew: known === undefined,
      topic,
      retiredBefore: known?.retiredBefore ?? 0,
      events: 0,
      bytes: 0,
      duplicates: 0,
      conflicts: 0,
      firstPosition: 0,
      lastPosition: 0,
    };
    this.#changes.set(topic, started);
    this.#remember(topic, known ?? { topicId: started.topicId, retiredBefore: 0 });
    return started;
  }

  /** Events of topics may have been retired: what is remembered of that is read anew. */
  forgetRetired(): void {
    this.#known.clear();
  }

  /** Writes the changes of the group. */
  flush(at: Instant): void {
    for (const change of this.#changes.values()) {
      const { topicId, events, bytes, duplicates, conflicts, firstPosition, lastPosition } = change;
      if (change.isNew) {
        this.#insert.run(
          topicId,
          change.topic,
          events,
          bytes,
          duplicates,
          conflicts,
          firstPosition,
          lastPosition,
          at,
          at,
        );
      } else this.#update.run(events, bytes, duplicates, conflicts, lastPosition, events, at, topicId);
    }
    this.#changes.clear();
  }

  #read(topic: string): KnownTopic | undefined {
    const row = this.#find.get(topic);
    return row && { topicId: row['topic_id'] as number, retiredBefore: row['retired_before'] as number };
  }

  #remember(topic: string, known: KnownTopic): void {
    this.#known.set(topic, known);
    if (this.#known.size <= REMEMBERED) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
