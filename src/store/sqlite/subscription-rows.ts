import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { SubscriptionDefinition } from '../subscription-store.ts';

/** A row of the table. */
export interface SubscriptionRow {
  readonly id: number;
  readonly name: string;
  readonly definition: SubscriptionDefinition;
  readonly version: string;
  readonly cursor: number;
  readonly leased: number;
  readonly waiting: number;
  readonly dead: number;
  readonly createdAtMs: number;
}

/** The table of subscriptions. An id is never used again. */
export class SubscriptionRows {
  readonly #find: StatementSync;
  readonly #page: StatementSync;
  readonly #insert: StatementSync;
  readonly #define: StatementSync;
  readonly #remove: StatementSync;
  readonly #byId: StatementSync;
  readonly #setCursor: StatementSync;
  readonly #beyond: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT * FROM subscriptions WHERE name = ?');
    this.#page = db.prepare('SELECT * FROM subscriptions WHERE name > ? ORDER BY name LIMIT ?');
    this.#insert = db.prepare(
      'INSERT INTO subscriptions (name, definition, cursor, created_at_ms) VALUES (?, ?, ?, ?)',
    );
    this.#define = db.prepare(
      'UPDATE subscriptions SET definition = ?, version = lower(hex(randomblob(16))) WHERE subscription_id = ?',
    );
    this.#remove = db.prepare('DELETE FROM subscriptions WHERE subscription_id = ?');
    this.#byId = db.prepare('SELECT * FROM subscriptions WHERE subscription_id = ?');
    this.#setCursor = db.prepare('UPDATE subscriptions SET cursor = ? WHERE subscription_id = ?');
    this.#beyond = db.prepare('SELECT * FROM subscriptions WHERE cursor > ? ORDER BY name');
  }

  find(name: string): SubscriptionRow | undefined {
    const row = this.#find.get(name);
    return row && toRow(row);
  }

  /** @param after the empty text is before all names */
  page(after: string, limit: number): SubscriptionRow[] {
    return this.#page.all(after, limit).map(toRow);
  }

  byId(id: number): SubscriptionRow | undefined {
    const row = this.#byId.get(id);
    return row && toRow(row);
  }

  insert(name: string, definition: SubscriptionDefinition, cursor: number, createdAtMs: number): void {
    this.#insert.run(name, textOf(definition), cursor, createdAtMs);
  }

  define(id: number, definition: SubscriptionDefinition): void {
    this.#define.run(textOf(definition), id);
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  setCursor(id: number, cursor: number): void {
    this.#setCursor.run(cursor, id);
  }

  /** Those whose cursor is above a position. */
  beyond(position: number): SubscriptionRow[] {
    return this.#beyond.all(position).map(toRow);
  }
}

/** By its members, for whoever hands one in may have more to it. */
function textOf(definition: SubscriptionDefinition): string {
  const { topics, ackWaitMs, attemptsMax, inFlightMax, backoff, ordered, webhook } = definition;
  const { firstMs, maxMs } = backoff;
  return JSON.stringify({
    topics,
    ackWaitMs,
    attemptsMax,
    inFlightMax,
    backoff: { firstMs, maxMs },
    ordered,
    ...(webhook && { webhook }),
  } satisfies SubscriptionDefinition);
}

function toRow(row: Record<string, SQLOutputValue>): SubscriptionRow {
  return {
    id: row['subscription_id'] as number,
    name: row['name'] as string,
    definition: JSON.parse(row['definition'] as string) as SubscriptionDefinition,
    version: row['version'] as string,
    cursor: row['cursor'] as number,
    leased: row['leased'] as number,
    waiting: row['waiting'] as number,
    dead: row['dead'] as number,
    createdAtMs: row['created_at_ms'] as number,
  };
}
