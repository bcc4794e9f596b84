import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { DeadEvent, DeadSelection, Outstanding } from '../subscription-store.ts';
import type { SubscriptionRow } from './subscription-rows.ts';

/** The table of the events that are not handed out any more. */
export class DeadRows {
  readonly #insert: StatementSync;
  readonly #page: StatementSync;
  readonly #removeAbove: StatementSync;
  readonly #byKind: Record<Kind, { redrive: StatementSync; discard: StatementSync }>;

  constructor(db: DatabaseSync) {
    // That one is dead already cannot be, and would not be worth a failure.
    this.#insert = db.prepare('INSERT INTO dead VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    this.#page = db.prepare(`
      SELECT position, topic, attempts, reason, died_at_ms FROM dead
      WHERE subscription_id = ? AND position > ? ORDER BY position LIMIT ?`);
    this.#removeAbove = db.prepare('DELETE FROM dead WHERE subscription_id = ? AND position > ?');
    this.#byKind = {
      positions: prepare(db, 'AND position IN (SELECT value FROM json_each(?1))'),
      topic: prepare(db, 'AND topic = ?1'),
      all: prepare(db, 'AND ?1 IS NULL'),
    };
  }

  insert(id: number, { position, topic, attempts }: Outstanding, reason: string, nowMs: number): void {
    this.#insert.run(id, position, topic, attempts, reason, nowMs);
  }

  page(id: number, after: number, limit: number): DeadEvent[] {
    return this.#page.all(id, after, limit).map((row) => ({
      position: row['position'] as number,
      topic: row['topic'] as string,
      attempts: row['attempts'] as number,
      reason: row['reason'] as string,
      diedAtMs: row['died_at_ms'] as number,
    }));
  }

  /** Has them wait, as if they had never been tried. @returns how many */
  redrive({ id, definition }: SubscriptionRow, which: DeadSelection, nowMs: number): number {
    const { kind, value } = meant(which);
    this.#byKind[kind].redrive.run(value, id, nowMs, Number(definition.ordered));
    return this.discard(id, which);
  }

  /** @returns how many */
  discard(id: number, which: DeadSelection): number {
    const { kind, value } = meant(which);
    return Number(this.#byKind[kind].discard.run(value, id).changes);
  }

  removeAbove(id: number, position: number): void {
    this.#removeAbove.run(id, position);
  }
}

type Kind = 'positions' | 'topic' | 'all';

function meant(which: DeadSelection): { kind: Kind; value: SQLInputValue } {
  if ('positions' in which) return { kind: 'positions', value: JSON.stringify(which.positions) };
  return which.topic === undefined ? { kind: 'all', value: null } : { kind: 'topic', value: which.topic };
}

function prepare(db: DatabaseSync, condition: string): { redrive: StatementSync; discard: StatementSync } {
  const where = `subscription_id = ?2 ${condition}`;
  return {
    redrive: db.prepare(`
      INSERT INTO outstanding
      SELECT subscription_id, position, topic, 0, ?3, NULL, NULL, ?4 FROM dead WHERE ${where}
      ON CONFLICT DO NOTHING`),
    discard: db.prepare(`DELETE FROM dead WHERE ${where}`),
  };
}
