import type { HandOut, Outstanding, Subscription, SubscriptionDefinition } from '../subscription-store.ts';

export interface KeptSubscription {
  readonly name: string;
  readonly createdAtMs: number;
  definition: SubscriptionDefinition;
  version: string;
  cursor: number;
  readonly rows: Map<number, Row>;
  /** Ends when nobody hands out of it. */
  turn: Promise<unknown>;
}

export interface Row {
  readonly topic: string;
  readonly attempts: number;
  /** Undefined while it waits. */
  readonly lease: string | undefined;
  readonly dueAtMs: number;
  readonly reason: string | undefined;
  /** Undefined unless it is dead. */
  readonly diedAtMs: number | undefined;
}

/** A hand-out that reads what is kept, and writes all of it when it commits. */
export class BufferedHandOut implements HandOut {
  readonly subscription: Subscription;
  readonly nowMs: number;
  readonly #kept: KeptSubscription;
  readonly #writes: (() => void)[] = [];

  constructor(kept: KeptSubscription, subscription: Subscription, nowMs: number) {
    this.#kept = kept;
    this.subscription = subscription;
    this.nowMs = nowMs;
  }

  async due(limit: number): ReturnType<HandOut['due']> {
    const due = this.#heads().filter(([, { dueAtMs }]) => dueAtMs <= this.nowMs);
    due.sort(([p, a], [q, b]) => a.dueAtMs - b.dueAtMs || p - q);
    return due.slice(0, limit).map(([position, { topic, attempts, lease, reason }]) => ({
      position,
      topic,
      attempts,
      wasLeased: lease !== undefined,
      reason,
    }));
  }

  async nextDueMs(): Promise<number | undefined> {
    let nextMs: number | undefined;
    for (const [, { dueAtMs }] of this.#heads()) nextMs = Math.min(dueAtMs, nextMs ?? dueAtMs);
    return nextMs;
  }

  async busyTopics(): Promise<ReadonlyMap<string, number>> {
    const lowest = new Map<string, number>();
    for (const [position, { topic }] of this.#outstanding())
      lowest.set(topic, Math.min(position, lowest.get(topic) ?? position));
    return lowest;
  }

  async lease(events: readonly Outstanding[], lease: string, leaseMs: number): Promise<void> {
    const dueAtMs = this.nowMs + leaseMs;
    for (const { position, topic, attempts } of events)
      this.#write(position, { topic, attempts, lease, dueAtMs, reason: undefined, diedAtMs: undefined });
  }

  async hold(events: readonly { position: number; topic: string }[]): Promise<void> {
    const unseen = { attempts: 0, lease: undefined, reason: undefined, diedAtMs: undefined };
    for (const { position, topic } of events)
      this.#write(position, { ...unseen, topic, dueAtMs: this.nowMs });
  }

  async bury(events: readonly { position: number; reason: string }[]): Promise<void> {
    for (const { position, reason } of events) {
      const row = this.#kept.rows.get(position)!;
      this.#write(position, { ...row, lease: undefined, reason, diedAtMs: this.nowMs });
    }
  }

  async advance(cursor: number): Promise<void> {
    this.#writes.push(() => {
      this.#kept.cursor = cursor;
    });
  }

  commit(): void {
    for (const write of this.#writes) write();
  }

  #write(position: number, row: Row): void {
    this.#writes.push(() => this.#kept.rows.set(position, row));
  }

  #outstanding(): [number, Row][] {
    return [...this.#kept.rows].filter(([, { diedAtMs }]) => diedAtMs === undefined);
  }

  /** What may become due at all. */
  #heads(): [number, Row][] {
    const outstanding = this.#outstanding();
    if (!this.subscription.ordered) return outstanding;
    const heads = new Map<string, [number, Row]>();
    for (const entry of outstanding) {
      const head = heads.get(entry[1].topic);
      if (head === undefined || entry[0] < head[0]) heads.set(entry[1].topic, entry);
    }
    return [...heads.values()];
  }
}
