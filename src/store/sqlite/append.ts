import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../clock.ts';
import type { Event } from '../../event.ts';
import { failpoint } from '../../failpoint.ts';
import { type Instant, instantOfMs } from '../../instant.ts';
import type { KeyHasher } from '../dedup/key.ts';
import type { KeyIndex } from '../dedup/key-index.ts';
import { KeyLogWriter } from '../dedup/key-log.ts';
import type { Batch, Receipt } from '../store.ts';
import { CounterReader, EventCounter } from './count-events.ts';
import { TopicCounter } from './count-topics.ts';
import { EventInserter } from './insert-events.ts';
import { instantColumns, instantOf } from './instant-column.ts';
import { ConflictKeeper } from './keep-conflicts.ts';

export interface AppenderParts {
  db: DatabaseSync;
  index: KeyIndex;
  hasher: KeyHasher;
  clock: Clock;
}

/**
 * Appends commit groups: verdict, row, key and counters of each event in one transaction, one fsync.
 *
 * After it has thrown, its index and its remembered numbers hold what the database does not: it must be thrown away.
 */
export class Appender {
  readonly #db: DatabaseSync;
  readonly #index: KeyIndex;
  readonly #hasher: KeyHasher;
  readonly #clock: Clock;
  readonly #events: EventInserter;
  readonly #topics: TopicCounter;
  readonly #conflicts: ConflictKeeper;
  readonly #counter: EventCounter;
  readonly #firstSeen: StatementSync;
  readonly #insertKeys: StatementSync;
  readonly #keys = new KeyLogWriter();

  /** Of the events committed and, while a group is open, of its own. */
  #lastPosition: number;
  #group = emptyGroup();

  constructor({ db, index, hasher, clock }: AppenderParts) {
    this.#db = db;
    this.#index = index;
    this.#hasher = hasher;
    this.#clock = clock;
    this.#events = new EventInserter(db);
    this.#topics = new TopicCounter(db);
    this.#conflicts = new ConflictKeeper(db);
    this.#counter = new EventCounter(db);
    this.#firstSeen = db.prepare(
      `SELECT ${instantColumns('processed_at_us', 'at')} FROM events WHERE position = ?`,
    );
    this.#insertKeys = db.prepare('INSERT INTO keys (first_position, entries) VALUES (?, ?)');
    this.#lastPosition = new CounterReader(db).lastPosition();
  }

  append(batches: readonly Batch[]): Receipt[][] {
    const firstPosition = this.#lastPosition + 1;
    const now = instantOfMs(this.#clock.nowMs());
    this.#group = emptyGroup();
    this.#keys.clear();
    this.#db.exec('BEGIN IMMEDIATE');
    failpoint('append.begun');

    const receipts = batches.map((batch) => this.#appendBatch(batch, firstPosition, now));
    this.#events.flush();
    failpoint('append.events');
    if (!this.#keys.isEmpty) this.#insertKeys.run(firstPosition, this.#keys.entries());
    failpoint('append.keys');
    this.#topics.flush(now);
    this.#conflicts.flush();
    this.#counter.add(this.#lastPosition, this.#group);
    failpoint('append.counters');

    failpoint('commit.before');
    this.#db.exec('COMMIT');
    failpoint('commit.after');
    return receipts;
  }

  #appendBatch(batch: Batch, groupStart: number, now: Instant): Receipt[] {
    const group = this.#group;
    group.rejected += batch.rejected;
    group.received += batch.events.length;
    return batch.events.map((event) => {
      const receipt = this.#appendEvent(event, now);
      if (receipt.verdict === 'stored' || !batch.wantFirstSeen) return receipt;
      const firstSeenAt = receipt.position >= groupStart ? now : this.#readFirstSeen(receipt.position);
      return { ...receipt, firstSeenAt };
    });
  }

  #appendEvent(event: Event, now: Instant): Receipt {
    const group = this.#group;
    const topic = this.#topics.change(event.topic);
    const key = this.#hasher.hash(event.topic, event.event_id);
    const first = this.#index.find(key);
    if (first === undefined) {
      const position = ++this.#lastPosition;
      this.#index.add(key, position, event.content);
      this.#keys.add(key, event.content);
      this.#events.add(position, topic.topicId, event, now);
      topic.events++;
      topic.firstPosition ||= position;
      topic.lastPosition = position;
      group.unique_processed++;
      return { verdict: 'stored', position, firstSeenAt: now };
    }
    group.duplicate_dropped++;
    const { position, content } = first;
    if (content.high === event.content.high && content.low === event.content.low) {
      topic.duplicates++;
      return { verdict: 'duplicate', position, firstSeenAt: undefined };
    }
    topic.conflicts++;
    group.conflicts++;
    this.#conflicts.add(topic.topicId, position, event, now);
    return { verdict: 'conflict', position, firstSeenAt: undefined };
  }

  #readFirstSeen(position: number): Instant | undefined {
    const row = this.#firstSeen.get(position);
    return row && instantOf(row['at_s'], row['at_micros']);
  }
}

function emptyGroup() {
  return { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0 };
}
