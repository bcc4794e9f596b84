import type { DatabaseSync } from 'node:sqlite';
import { type DefinitionCondition, holds } from '../definition-condition.ts';
import type { PutDone, Subscription, SubscriptionDefinition } from '../subscription-store.ts';
import { DeadRows } from './subscription-dead.ts';
import { DueReader } from './subscription-due.ts';
import { OutstandingRows } from './subscription-outstanding.ts';
import { type SubscriptionRow, SubscriptionRows } from './subscription-rows.ts';

/** The tables of one connection, and what concerns more than one of them. */
export class SubscriptionTables {
  readonly subscriptions: SubscriptionRows;
  readonly outstanding: OutstandingRows;
  readonly next: DueReader;
  readonly dead: DeadRows;

  constructor(db: DatabaseSync) {
    this.subscriptions = new SubscriptionRows(db);
    this.outstanding = new OutstandingRows(db);
    this.next = new DueReader(db);
    this.dead = new DeadRows(db);
  }

  describe({ id, definition, ...row }: SubscriptionRow): Subscription {
    return { ...definition, ...row, oldestOutstanding: this.next.oldest(id) };
  }

  /** @returns undefined when the condition does not hold */
  put(
    name: string,
    definition: SubscriptionDefinition,
    {
      startAfter,
      nowMs,
      condition = {},
    }: { startAfter: number; nowMs: number; condition?: DefinitionCondition },
  ): PutDone | undefined {
    const row = this.subscriptions.find(name);
    if (!holds(condition, row?.version)) return undefined;
    if (row === undefined) this.subscriptions.insert(name, definition, startAfter, nowMs);
    else {
      this.outstanding.setOrdered(row.id, definition.ordered);
      this.subscriptions.define(row.id, definition);
    }
    return { ...this.describe(this.subscriptions.find(name)!), created: row === undefined };
  }

  /** Sets an outstanding event aside; nothing, if it is none. */
  bury(id: number, position: number, reason: string, nowMs: number): void {
    const row = this.outstanding.take(id, position);
    if (row !== undefined) this.dead.insert(id, row, reason, nowMs);
  }

  /** Gives up all that is outstanding, and the dead events above the new cursor, which are pending then. */
  seek(id: number, cursor: number): void {
    this.outstanding.clear(id, -1);
    this.dead.removeAbove(id, cursor);
    this.subscriptions.setCursor(id, cursor);
  }

  /** Forgets what there was above a position. */
  pullBack(id: number, position: number): void {
    this.outstanding.clear(id, position);
    this.dead.removeAbove(id, position);
    this.subscriptions.setCursor(id, position);
  }

  remove(id: number): void {
    this.outstanding.clear(id, -1);
    this.dead.removeAbove(id, -1);
    this.subscriptions.remove(id);
  }
}
