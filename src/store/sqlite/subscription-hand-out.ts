import type { HandOut, Outstanding, Subscription } from '../subscription-store.ts';
import type { SubscriptionCommits } from './subscription-commits.ts';
import type { DueRow, HeadRow } from './subscription-due.ts';
import type { SubscriptionRow } from './subscription-rows.ts';
import type { SubscriptionTables } from './subscription-tables.ts';

/**
 * A hand-out reads at once, and keeps what it writes until the end: an open transaction would hold up the acknowledgements of everybody
 * for as long as it looks for events.
 */
export class SqliteHandOut implements HandOut {
  readonly subscription: Subscription;
  readonly nowMs: number;
  readonly #id: number;
  readonly #commits: SubscriptionCommits;
  readonly #writes: ((tables: SubscriptionTables, row: SubscriptionRow) => void)[] = [];
  /** Read once: nothing that is the lowest of its topic stops being so meanwhile in a way that counts. */
  #heads: HeadRow[] | undefined;

  constructor(commits: SubscriptionCommits, row: SubscriptionRow, nowMs: number) {
    this.#commits = commits;
    this.#id = row.id;
    this.nowMs = nowMs;
    this.subscription = commits.read((tables) => tables.describe(row));
  }

  async due(limit: number): Promise<DueRow[]> {
    if (!this.subscription.ordered) {
      return this.#commits.read(({ next }) => next.due(this.#id, this.nowMs, limit));
    }
    return this.#lowest()
      .filter(({ dueMs }) => dueMs <= this.nowMs)
      .sort((one, other) => one.dueMs - other.dueMs || one.row.position - other.row.position)
      .slice(0, limit)
      .map(({ row }) => row);
  }

  async nextDueMs(): Promise<number | undefined> {
    if (!this.subscription.ordered) {
      return this.#commits.read(({ next }) => next.nextDueMs(this.#id));
    }
    let next: number | undefined;
    for (const { dueMs } of this.#lowest()) next = Math.min(next ?? dueMs, dueMs);
    return next;
  }

  async busyTopics(): Promise<ReadonlyMap<string, number>> {
    if (this.subscription.ordered) return new Map(this.#lowest().map(({ row }) => [row.topic, row.position]));
    return this.#commits.read(({ next }) => next.busyTopics(this.#id));
  }

  async lease(events: readonly Outstanding[], lease: string, leaseMs: number): Promise<void> {
    const bytes = Buffer.from(lease, 'hex');
    const dueMs = Math.ceil(this.nowMs + leaseMs);
    this.#writes.push(({ outstanding }, row) => {
      for (const event of events) outstanding.put(row, event, { lease: bytes, dueMs });
    });
  }

  async hold(events: readonly { readonly position: number; readonly topic: string }[]): Promise<void> {
    const waits = { lease: undefined, dueMs: this.nowMs };
    this.#writes.push(({ outstanding }, row) => {
      for (const { position, topic } of events) outstanding.put(row, { position, topic, attempts: 0 }, waits);
    });
  }

  async bury(events: readonly { readonly position: number; readonly reason: string }[]): Promise<void> {
    this.#writes.push((tables) => {
      for (const { position, reason } of events) tables.bury(this.#id, position, reason, this.nowMs);
    });
  }

  async advance(cursor: number): Promise<void> {
    if (cursor === this.subscription.cursor) return;
    this.#writes.push(({ subscriptions }) => subscriptions.setCursor(this.#id, cursor));
  }

  get isIdle(): boolean {
    return this.#writes.length === 0;
  }

  /** @returns false when the subscription was removed meanwhile */
  apply(tables: SubscriptionTables): boolean {
    const row = tables.subscriptions.byId(this.#id);
    if (row === undefined) return false;
    for (const write of this.#writes) write(tables, row);
    return true;
  }

  #lowest(): HeadRow[] {
    this.#heads ??= this.#commits.read(({ next }) => next.heads(this.#id));
    return this.#heads;
  }
}
