import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../clock.ts';
import { failpoint } from '../../failpoint.ts';
import { type Instant, instantOfMs } from '../../instant.ts';
import type { Key } from '../dedup/key.ts';
import type { KeyIndex } from '../dedup/key-index.ts';
import { checksumOf, KeyLogWriter } from '../dedup/key-log.ts';
import {
  CONTENT_HIGH,
  CONTENT_LOW,
  EVENT_WORDS,
  type EventPack,
  KEY,
  RECORD_BYTES,
  TOPIC,
} from '../event-pack.ts';
import { CONFLICT, type CommitGroup, DUPLICATE, type Receipts, STORED } from '../store.ts';
import { CounterReader, EventCounter, type Tally } from './count-events.ts';
import { type TopicChange, TopicCounter } from './count-topics.ts';
import type { DedupWindows } from './dedup-windows.ts';
import { BlockInserter } from './insert-blocks.ts';
import { instantColumns, instantOf } from './instant-column.ts';
import { ConflictKeeper } from './keep-conflicts.ts';

export interface AppenderParts {
  readonly db: DatabaseSync;
  readonly index: KeyIndex;
  readonly windows: DedupWindows;
  readonly clock: Clock;
}

/**
 * Appends commit groups: verdict, event, key and counters of each event in one transaction, one fsync.
 *
 * After it has thrown, its index and its remembered numbers hold what the database does not: it must be thrown away.
 */
export class Appender {
  readonly #db: DatabaseSync;
  readonly #index: KeyIndex;
  readonly #windows: DedupWindows;
  readonly #clock: Clock;
  readonly #blocks: BlockInserter;
  readonly #topics: TopicCounter;
  readonly #conflicts: ConflictKeeper;
  readonly #counter: EventCounter;
  readonly #firstSeen: StatementSync;
  readonly #insertKeys: StatementSync;
  readonly #keys = new KeyLogWriter();
  readonly #key: Key = { a: 0, b: 0, c: 0, d: 0 };
  readonly #content = { high: 0, low: 0 };

  /** Of the events committed and, while a group is open, of its own. */
  #lastPosition: number;
  #group = emptyGroup();
  /** Of the group that is open, by the topic's number in its pack. */
  #changes: TopicChange[] = [];
  #topicIds: number[] = [];
  #classes: number[] = [];
  #now: Instant = 0;

  constructor({ db, index, windows, clock }: AppenderParts) {
    this.#db = db;
    this.#index = index;
    this.#windows = windows;
    this.#clock = clock;
    this.#blocks = new BlockInserter(db);
    this.#topics = new TopicCounter(db);
    this.#conflicts = new ConflictKeeper(db);
    this.#counter = new EventCounter(db);
    this.#firstSeen = db.prepare(`
      SELECT ${instantColumns('processed_at_us', 'at')} FROM blocks
      WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1`);
    // A row may be there that the load has passed over, for it was damaged.
    this.#insertKeys = db.prepare(
      'INSERT OR REPLACE INTO keys (first_position, entries, classes, checksum) VALUES (?, ?, ?, ?)',
    );
    this.#lastPosition = new CounterReader(db).lastPosition();
  }

  /** @param also further work of the same transaction, done last */
  append({ events, batches }: CommitGroup, also: () => void): Receipts {
    const firstPosition = this.#lastPosition + 1;
    this.#now = instantOfMs(this.#clock.nowMs());
    this.#group = emptyGroup();
    this.#group.received = events.length;
    for (const batch of batches) this.#group.rejected += batch.rejected;
    this.#changes = [];
    this.#topicIds = events.topics.map(() => 0);
    this.#classes = events.topics.map(() => 0);
    this.#keys.clear();
    this.#db.exec('BEGIN IMMEDIATE');
    failpoint('append.begun');

    this.#windows.begin(this.#now, this.#lastPosition);
    this.#blocks.begin(events, this.#topicIds, this.#now);
    const verdicts = new Uint8Array(events.length);
    const positions = new Float64Array(events.length);
    for (let i = 0; i < events.length; i++) this.#appendEvent(events, i, verdicts, positions);
    this.#blocks.flush(this.#lastPosition);
    failpoint('append.events');
    if (!this.#keys.isEmpty) {
      const [entries, classes] = [this.#keys.entries(), this.#keys.classes()];
      this.#insertKeys.run(firstPosition, entries, classes, checksumOf(entries, classes));
    }
    failpoint('append.keys');
    this.#topics.flush(this.#now);
    this.#conflicts.flush();
    this.#counter.add(this.#lastPosition, this.#group);
    failpoint('append.counters');
    const firstSeenAt = this.#readFirstSeen({ events, batches }, verdicts, positions, firstPosition);
    also();

    failpoint('commit.before');
    this.#db.exec('COMMIT');
    failpoint('commit.after');
    return { verdicts, positions, storedAt: this.#now, firstSeenAt };
  }

  /** Events of topics have been retired: what is remembered of that is read anew. */
  forgetRetired(): void {
    this.#topics.forgetRetired();
  }

  /** Brings `topic_blocks` up to date, in the transaction that is open. */
  noteTopics(): void {
    this.#blocks.noteTopics(this.#lastPosition);
  }

  #appendEvent(pack: EventPack, i: number, verdicts: Uint8Array, positions: Float64Array): void {
    const { words } = pack;
    const at = i * EVENT_WORDS;
    const topicNumber = words[at + TOPIC]!;
    const topic = this.#changes[topicNumber] ?? this.#changeOf(pack, topicNumber);
    const key = this.#key;
    key.a = words[at + KEY]!;
    key.b = words[at + KEY + 1]!;
    key.c = words[at + KEY + 2]!;
    key.d = words[at + KEY + 3]!;
    const first = this.#index.find(key);
    if (first === undefined || this.#windows.isForgotten(first)) {
      const position = ++this.#lastPosition;
      const windowClass = this.#classes[topicNumber]!;
      this.#content.high = words[at + CONTENT_HIGH]!;
      this.#content.low = words[at + CONTENT_LOW]!;
      this.#index.add(key, position, this.#content, windowClass);
      this.#keys.add(pack, i, windowClass);
      this.#blocks.add(i, position);
      topic.events++;
      topic.bytes += words[at + RECORD_BYTES]!;
      topic.firstPosition ||= position;
      topic.lastPosition = position;
      this.#group.unique_processed++;
      verdicts[i] = STORED;
      positions[i] = position;
      return;
    }
    this.#group.duplicate_dropped++;
    const { position, content } = first;
    positions[i] = position;
    if (content.high === words[at + CONTENT_HIGH] && content.low === words[at + CONTENT_LOW]) {
      topic.duplicates++;
      verdicts[i] = DUPLICATE;
      return;
    }
    topic.conflicts++;
    this.#group.conflicts++;
    this.#conflicts.add(topic.topicId, position, pack, i, this.#now);
    verdicts[i] = CONFLICT;
  }

  /** Made for the first event of a topic only: a pack may name topics whose events were all taken back. */
  #changeOf(pack: EventPack, topicNumber: number): TopicChange {
    const topic = pack.topics[topicNumber]!;
    const change = this.#topics.change(topic);
    this.#changes[topicNumber] = change;
    this.#topicIds[topicNumber] = change.topicId;
    this.#classes[topicNumber] = this.#windows.classOf(topic);
    return change;
  }

  #readFirstSeen(
    { events, batches }: CommitGroup,
    verdicts: Uint8Array,
    positions: Float64Array,
    groupStart: number,
  ): Map<number, Instant> {
    const firstSeenAt = new Map<number, Instant>();
    let i = 0;
    for (const { end, wantFirstSeen } of batches) {
      if (!wantFirstSeen) i = end;
      for (; i < end; i++) {
        if (verdicts[i] === STORED) continue;
        const position = positions[i]!;
        const { retiredBefore } = this.#changes[events.words[i * EVENT_WORDS + TOPIC]!]!;
        if (position < retiredBefore) continue;
        firstSeenAt.set(i, position >= groupStart ? this.#now : this.#storedAt(position));
      }
    }
    return firstSeenAt;
  }

  #storedAt(position: number): Instant {
    const row = this.#firstSeen.get(position);
    if (row === undefined) throw new Error(`no block holds position ${position}`);
    return instantOf(row['at_s'], row['at_micros']);
  }
}

function emptyGroup(): Tally {
  return { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0 };
}
