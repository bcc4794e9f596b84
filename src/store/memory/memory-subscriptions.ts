import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { type DefinitionCondition, holds } from '../definition-condition.ts';
import type {
  DeadEvent,
  DeadSelection,
  HandOut,
  LeaseRef,
  Outstanding,
  PutDone,
  Removed,
  Settled,
  Subscription,
  SubscriptionDefinition,
  SubscriptionStore,
  Verdict,
} from '../subscription-store.ts';
import { BufferedHandOut, type KeptSubscription, type Row } from './memory-hand-out.ts';

/** What a disk would hold: it outlives the stores that are opened on it. */
export type Kept = Map<string, KeptSubscription>;

/** Keeps what store/subscription-store.ts promises, but for durability: in memory, by the clock that it is given. */
export class MemorySubscriptions implements SubscriptionStore {
  readonly #clock: Clock;
  readonly #kept: Kept;

  constructor(clock: Clock, kept: Kept = new Map()) {
    this.#clock = clock;
    this.#kept = kept;
  }

  async put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition: DefinitionCondition = {},
  ): Promise<PutDone | undefined> {
    let there: KeptSubscription | undefined;
    do {
      there = this.#kept.get(name);
      await there?.turn;
    } while (there !== this.#kept.get(name));
    if (!holds(condition, there?.version)) return undefined;
    const version = randomBytes(16).toString('hex');
    if (there !== undefined) {
      Object.assign(there, { definition, version });
      return { ...describe(there), created: false };
    }
    const fresh = { cursor: startAfter, rows: new Map(), createdAtMs: this.#clock.nowMs() };
    const made = { ...fresh, name, definition, version, turn: Promise.resolve() };
    this.#kept.set(name, made);
    return { ...describe(made), created: true };
  }

  async get(name: string): Promise<Subscription | undefined> {
    const kept = this.#kept.get(name);
    return kept && describe(kept);
  }

  async definition(name: string): Promise<SubscriptionDefinition | undefined> {
    return this.#kept.get(name)?.definition;
  }

  async list({ after, limit }: { after: string | undefined; limit: number }): Promise<Subscription[]> {
    const names = [...this.#kept.keys()].filter((name) => after === undefined || name > after).sort();
    return names.slice(0, limit).map((name) => describe(this.#kept.get(name)!));
  }

  async remove(name: string, condition: DefinitionCondition = {}): Promise<Removed> {
    const there = this.#kept.get(name);
    if (there === undefined) return 'unknown';
    if (!holds(condition, there.version)) return 'changed';
    this.#kept.delete(name);
    return 'removed';
  }

  async handOut<T extends {}>(name: string, work: (hand: HandOut) => Promise<T>): Promise<T | undefined> {
    return await this.#inTurn(name, async (kept) => {
      const hand = new BufferedHandOut(kept, describe(kept), this.#clock.nowMs());
      const result = await work(hand);
      if (this.#kept.get(name) !== kept) return undefined;
      hand.commit();
      return result;
    });
  }

  async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    return this.#settle(name, leases, (rows, position) => rows.delete(position));
  }

  async nack(
    name: string,
    leases: readonly LeaseRef[],
    decide: (row: Outstanding) => Verdict,
  ): Promise<Settled[]> {
    const nowMs = this.#clock.nowMs();
    return this.#settle(name, leases, (rows, position, row) => {
      const verdict = decide({ position, topic: row.topic, attempts: row.attempts });
      const given = { ...row, lease: undefined, reason: verdict.reason };
      if (verdict.kind === 'dead') rows.set(position, { ...given, diedAtMs: nowMs });
      else {
        const { attempts = row.attempts, delayMs } = verdict;
        rows.set(position, { ...given, attempts, dueAtMs: nowMs + delayMs });
      }
    });
  }

  async extend(name: string, leases: readonly LeaseRef[], leaseMs: number): Promise<Settled[]> {
    const dueAtMs = this.#clock.nowMs() + leaseMs;
    return this.#settle(name, leases, (rows, position, row) => rows.set(position, { ...row, dueAtMs }));
  }

  async deadLetters(name: string, { after, limit }: { after: number; limit: number }): Promise<DeadEvent[]> {
    const kept = this.#kept.get(name);
    if (kept === undefined) return [];
    const dead: DeadEvent[] = [];
    for (const [position, { topic, attempts, reason = '', diedAtMs }] of kept.rows)
      if (diedAtMs !== undefined && position > after)
        dead.push({ position, topic, attempts, reason, diedAtMs });
    return dead.sort((a, b) => a.position - b.position).slice(0, limit);
  }

  async redrive(name: string, which: DeadSelection): Promise<number> {
    const anew = { attempts: 0, dueAtMs: this.#clock.nowMs(), reason: undefined, diedAtMs: undefined };
    return this.#ofDead(name, which, (rows, position, row) => rows.set(position, { ...row, ...anew }));
  }

  async discard(name: string, which: DeadSelection): Promise<number> {
    return this.#ofDead(name, which, (rows, position) => rows.delete(position));
  }

  async seek(name: string, cursor: number): Promise<boolean> {
    const found = await this.#inTurn(name, async (kept) => {
      kept.cursor = cursor;
      for (const [position, { diedAtMs }] of kept.rows)
        if (diedAtMs === undefined || position > cursor) kept.rows.delete(position);
      return true;
    });
    return found === true;
  }

  async close(): Promise<void> {}

  async #inTurn<T>(name: string, work: (kept: KeptSubscription) => Promise<T>): Promise<T | undefined> {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    const mine = kept.turn.then(async () => (this.#kept.get(name) === kept ? await work(kept) : undefined));
    kept.turn = mine.catch(() => {});
    return await mine;
  }

  #settle(
    name: string,
    leases: readonly LeaseRef[],
    change: (rows: Map<number, Row>, position: number, row: Row) => unknown,
  ): Settled[] {
    const rows = this.#kept.get(name)?.rows;
    return leases.map(({ position, lease }) => {
      const row = rows?.get(position);
      if (rows === undefined || row === undefined || row.lease !== lease) return 'lease_stale';
      if (row.dueAtMs <= this.#clock.nowMs()) return 'lease_expired';
      change(rows, position, row);
      return 'done';
    });
  }

  #ofDead(
    name: string,
    which: DeadSelection,
    change: (rows: Map<number, Row>, position: number, row: Row) => unknown,
  ): number {
    const rows = this.#kept.get(name)?.rows ?? new Map<number, Row>();
    const isMeant = (position: number, { topic }: Row) =>
      'positions' in which
        ? which.positions.includes(position)
        : which.topic === undefined || which.topic === topic;
    const meant = [...rows].filter(([position, row]) => row.diedAtMs !== undefined && isMeant(position, row));
    for (const [position, row] of meant) change(rows, position, row);
    return meant.length;
  }
}

function describe(kept: KeptSubscription): Subscription {
  const { name, definition, version, cursor, rows, createdAtMs } = kept;
  const counts = { leased: 0, waiting: 0, dead: 0 };
  let oldestOutstanding: number | undefined;
  for (const [position, { diedAtMs, lease }] of rows) {
    if (diedAtMs !== undefined) counts.dead++;
    else {
      counts[lease === undefined ? 'waiting' : 'leased']++;
      oldestOutstanding = Math.min(oldestOutstanding ?? position, position);
    }
  }
  return { ...definition, name, version, cursor, ...counts, oldestOutstanding, createdAtMs };
}
