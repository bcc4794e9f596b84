import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Event } from '../../event.ts';
import type { Instant } from '../../instant.ts';

const COLUMNS = [
  'position',
  'topic_id',
  'event_id',
  'timestamp_us',
  'source',
  'payload',
  'processed_at_us',
  'sequence',
];

/** Rows a statement: 50 run 1.3 times as fast as 1 (stepping and binding cost less than starting), 200 no faster. */
const ROWS = 50;

type Value = string | number | bigint | null;

/** Inserts events at consecutive positions, many rows a statement. */
export class EventInserter {
  readonly #many: StatementSync;
  readonly #one: StatementSync;
  #values: Value[] = [];

  constructor(db: DatabaseSync) {
    const row = `(${COLUMNS.map(() => '?').join(', ')})`;
    const insert = `INSERT INTO events (${COLUMNS.join(', ')}) VALUES `;
    this.#many = db.prepare(insert + Array(ROWS).fill(row).join(', '));
    this.#one = db.prepare(insert + row);
  }

  add(position: number, topicId: number, event: Event, processedAt: Instant): void {
    this.#values.push(
      position,
      topicId,
      event.event_id,
      event.timestamp,
      event.source,
      event.payload,
      processedAt,
      event.sequence ?? null,
    );
    if (this.#values.length === ROWS * COLUMNS.length) {
      this.#many.run(...this.#values);
      this.#values = [];
    }
  }

  /** Writes what has been added and is not written yet. */
  flush(): void {
    for (let at = 0; at < this.#values.length; at += COLUMNS.length) {
      this.#one.run(...this.#values.slice(at, at + COLUMNS.length));
    }
    this.#values = [];
  }
}
