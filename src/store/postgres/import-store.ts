import type { Fingerprint } from '../../event.ts';
import { LineFault } from '../../transfer/read-members.ts';
import type { ReadEvent, Record } from '../../transfer/read-records.ts';
import type {
  TransferCounts,
  TransferDeadLetter,
  TransferHeader,
  TransferKey,
  TransferTopic,
} from '../../transfer/records.ts';
import type { TransferTarget } from '../../transfer/transfer-reader.ts';
import { KeyHasher, type TopicState } from '../dedup/key.ts';
import type { SqlQuery } from './connection.ts';
import { contentOf, EventBatch, KeyBatch } from './import-batches.ts';
import { finishImport, restartPositions } from './import-finish.ts';
import { openImport } from './import-session.ts';
import { ImportedSubscriptions } from './import-subscriptions.ts';
import {
  insertConflicts,
  insertDeadLetters,
  insertHeader,
  insertTopics,
  RowBuffer,
} from './import-tables.ts';
import type { LongTransaction } from './long-transaction.ts';

interface ImportedTopic {
  readonly id: number;
  readonly topic: TransferTopic;
  readonly state: TopicState;
  /** Events that have come. */
  events: number;
}

/**
 * Fills an empty database, all or nothing: one transaction, committed once the last line has been read and everything has
 * been counted again.
 *
 * While a batch is on its way, the next one is read.
 */
export class PostgresImport implements TransferTarget {
  readonly #session: LongTransaction;
  readonly #topics = new Map<string, ImportedTopic>();
  readonly #topicRows = new RowBuffer<TransferTopic>({
    insert: (rows, before) => insertTopics(rows, before, this.#slot),
  });
  readonly #subscriptions = new ImportedSubscriptions();
  readonly #conflicts = new RowBuffer<ConflictRow>({
    insert: insertConflicts,
    bytesOf: ({ conflict }) => conflict.payload?.length ?? 0,
  });
  readonly #letters = new RowBuffer<TransferDeadLetter>({
    insert: insertDeadLetters,
    bytesOf: ({ body }) => body.length,
  });
  #hasher: KeyHasher = new KeyHasher(Buffer.alloc(16));
  #header: TransferHeader | undefined;
  #slot = 0;
  #events = new EventBatch();
  #keys = new KeyBatch();
  #keyRows = 0;
  #hasExpiry = false;
  #lastEvent = 0;
  #lastConflict = 0;
  #busy: Promise<void> = Promise.resolve();

  private constructor(session: LongTransaction) {
    this.#session = session;
  }

  /** @throws SekaliError `config_invalid`, `data_in_use`, `store_unavailable`: see openImport */
  static async open(databaseUrl: string): Promise<PostgresImport> {
    return new PostgresImport(await openImport(databaseUrl));
  }

  async header(header: TransferHeader): Promise<void> {
    this.#header = header;
    this.#hasher = new KeyHasher(header.keySecret);
    this.#slot = await insertHeader(this.#session, header);
    await restartPositions(this.#session, header.lastPosition);
  }

  take(record: Exclude<Record, { kind: 'end' }>): Promise<void> | undefined {
    switch (record.kind) {
      case 'topic':
        this.#takeTopic(record.topic);
        return this.#send(this.#topicRows.whenFull());
      case 'subscription':
        return this.#send(this.#subscriptions.add(record.subscription, this.#known().lastPosition));
      case 'delivery':
        return this.#send(this.#subscriptions.addDelivery(record.delivery));
      case 'event':
        return this.#takeEvent(record.event);
      case 'key':
        return this.#takeKey(record.key);
      case 'conflict': {
        const { conflict } = record;
        if (conflict.number <= this.#lastConflict)
          throw new LineFault('number must be above that of the conflict before');
        this.#lastConflict = conflict.number;
        this.#conflicts.add({ conflict, topicId: this.#topicOf(conflict.topic).id });
        return this.#send(this.#conflicts.whenFull());
      }
      case 'dead_letter':
        this.#letters.add(record.letter);
    }
    return this.#send(this.#letters.whenFull());
  }

  async end(counts: TransferCounts): Promise<void> {
    this.#checkTotals(this.#known());
    await this.#send(
      this.#topicRows.rest(),
      ...this.#subscriptions.rest(),
      this.#flushEvents(),
      this.#flushKeys(),
      this.#conflicts.rest(),
      this.#letters.rest(),
    );
    await this.#busy;
    await finishImport(this.#session, {
      lastConflict: this.#lastConflict,
      topics: this.#topics.size,
      subscriptions: this.#subscriptions.size,
      deliveries: counts.deliveries,
      events: counts.events,
      keys: this.#keyRows,
      hasExpiry: this.#hasExpiry,
    });
  }

  /** What has not ended is undone. */
  async close(): Promise<void> {
    await this.#busy.catch(() => {});
    await this.#session.close();
  }

  #takeTopic(topic: TransferTopic): void {
    if (this.#topics.has(topic.topic)) throw new LineFault('the topic is there twice');
    const state = this.#hasher.topicState(topic.topic);
    this.#topics.set(topic.topic, { id: this.#topics.size + 1, topic, state, events: 0 });
    this.#topicRows.add(topic);
  }

  #takeEvent(event: ReadEvent): Promise<void> | undefined {
    const { position, keyLife } = event;
    const topic = this.#topicOf(event.topic);
    this.#checkPosition(position);
    if (position <= this.#lastEvent) throw new LineFault('position must be above that of the event before');
    if (position < topic.topic.retired_before)
      throw new LineFault('the event is below retired_before of its topic');
    this.#lastEvent = position;
    topic.events++;
    const content = contentOf(event.payload, this.#seed);
    if (keyLife === 'forgotten') this.#hasExpiry = true;
    else {
      const id = Buffer.from(event.event_id);
      this.#noteLife(keyLife);
      this.#keys.add(this.#hasher.hashId(topic.state, id, 0, id.length), position, content, keyLife);
    }
    this.#events.add(event, topic.id);
    if (!this.#events.isFull && !this.#keys.isFull) return undefined;
    return this.#send(this.#flushEvents(), this.#flushKeys());
  }

  #takeKey(key: TransferKey): Promise<void> | undefined {
    this.#checkPosition(key.position);
    this.#noteLife(key.keyLife);
    this.#keys.addLine(key);
    return this.#keys.isFull ? this.#send(this.#flushKeys()) : undefined;
  }

  #flushEvents(): SqlQuery | undefined {
    const batch = this.#events;
    this.#events = new EventBatch();
    return batch.length === 0 ? undefined : batch.insert();
  }

  #flushKeys(): SqlQuery | undefined {
    const batch = this.#keys;
    this.#keys = new KeyBatch();
    this.#keyRows += batch.length;
    return batch.length === 0 ? undefined : batch.insert();
  }

  /** Sends rows once those before are through. */
  #send(...queries: (SqlQuery | undefined)[]): Promise<void> | undefined {
    const rows = queries.filter((query) => query !== undefined);
    if (rows.length === 0) return undefined;
    const before = this.#busy;
    return this.#sendAfter(before, rows);
  }

  async #sendAfter(before: Promise<unknown>, rows: readonly SqlQuery[]): Promise<void> {
    await before;
    this.#busy = this.#insert(rows);
    this.#busy.catch(() => {}); // told to whoever waits for it next
  }

  async #insert(rows: readonly SqlQuery[]): Promise<void> {
    for (const query of rows) await this.#session.query(query);
  }

  get #seed(): Fingerprint {
    return this.#known().contentSeed;
  }

  #known(): TransferHeader {
    if (this.#header === undefined) throw new LineFault('the header is missing');
    return this.#header;
  }

  #topicOf(name: string): ImportedTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new LineFault('there is no line of its topic before');
    return topic;
  }

  #checkPosition(position: number): void {
    if (position > this.#known().lastPosition)
      throw new LineFault('position is beyond last_position of the header');
  }

  #noteLife(life: TransferKey['keyLife']): void {
    if (life !== 'for ever') this.#hasExpiry = true;
  }

  #checkTotals({ counters }: TransferHeader): void {
    const sums = { events: 0, later: 0, conflicts: 0 };
    for (const { topic, events } of this.#topics.values()) {
      sums.events += topic.events;
      sums.later += topic.duplicates + topic.conflicts;
      sums.conflicts += topic.conflicts;
      if (topic.events - topic.retired !== events) {
        throw new LineFault(
          `topic ${JSON.stringify(topic.topic)} must have ${topic.events - topic.retired} events, and ${events} are there`,
        );
      }
    }
    const isSame =
      sums.events === counters.unique_processed &&
      sums.later === counters.duplicate_dropped &&
      sums.conflicts === counters.conflicts;
    if (!isSame) throw new LineFault('the counters of the header are not the sums of the topics');
  }
}

type ConflictRow = Parameters<typeof insertConflicts>[0][number];
