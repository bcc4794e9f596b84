import { type Clock, systemClock } from '../../clock.ts';
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
import { SubscriptionCommits } from './subscription-commits.ts';
import { SqliteHandOut } from './subscription-hand-out.ts';
import type { SubscriptionRow } from './subscription-rows.ts';
import { type OneLease, settleAll } from './subscription-settling.ts';
import type { SubscriptionTables } from './subscription-tables.ts';
import { SubscriptionTurns } from './subscription-turns.ts';

export interface SqliteSubscriptionsOptions {
  readonly dataDir: string;
  readonly clock?: Clock | undefined;
}

/** A subscription that was beyond the events that are there, and from where on it goes on. */
export interface PulledBack {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Subscriptions in a file of their own, beside that of the events. It works on the thread that calls it, and blocks that for as long as
 * the disk takes: the server gives it a thread of its own.
 */
export class SqliteSubscriptions implements SubscriptionStore {
  readonly #commits: SubscriptionCommits;
  readonly #clock: Clock;
  readonly #turns = new SubscriptionTurns();
  /** When the hand-outs that are under way began, by subscription. */
  readonly #handingOut = new Map<number, number>();

  private constructor({ dataDir, clock = systemClock }: SqliteSubscriptionsOptions) {
    this.#commits = new SubscriptionCommits(dataDir);
    this.#clock = clock;
  }

  /**
   * Opens the file, and makes or migrates it if it has to.
   *
   * @throws SekaliError `schema_newer`, `store_damaged`, `store_unavailable`
   */
  static open(options: SqliteSubscriptionsOptions): SqliteSubscriptions {
    return new SqliteSubscriptions(options);
  }

  /**
   * Has no subscription be beyond the last position, as they are when older events were put back beside newer subscriptions: what gets
   * these positions again would be passed over.
   */
  async pullBack(lastPosition: number): Promise<PulledBack[]> {
    return await this.#commits.run((tables) =>
      tables.subscriptions.beyond(lastPosition).map(({ id, name, cursor }) => {
        tables.pullBack(id, lastPosition);
        return { name, from: cursor, to: lastPosition };
      }),
    );
  }

  async put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition: DefinitionCondition = {},
  ): Promise<PutDone | undefined> {
    return await this.#turns.take(name, () =>
      this.#commits.run((tables) =>
        tables.put(name, definition, { startAfter, nowMs: this.#clock.nowMs(), condition }),
      ),
    );
  }

  async get(name: string): Promise<Subscription | undefined> {
    return this.#commits.read((tables) => {
      const row = tables.subscriptions.find(name);
      return row && tables.describe(row);
    });
  }

  async definition(name: string): Promise<SubscriptionDefinition | undefined> {
    return this.#commits.read(({ subscriptions }) => subscriptions.find(name)?.definition);
  }

  async list({ after, limit }: { after: string | undefined; limit: number }): Promise<Subscription[]> {
    return this.#commits.read((tables) =>
      tables.subscriptions.page(after ?? '', limit).map((row) => tables.describe(row)),
    );
  }

  async remove(name: string, condition: DefinitionCondition = {}): Promise<Removed> {
    return await this.#change<Removed>(name, 'unknown', (tables, { id, version }) => {
      if (!holds(condition, version)) return 'changed';
      tables.remove(id);
      return 'removed';
    });
  }

  async handOut<T extends {}>(name: string, work: (hand: HandOut) => Promise<T>): Promise<T | undefined> {
    return await this.#turns.take(name, async () => {
      const row = this.#commits.read(({ subscriptions }) => subscriptions.find(name));
      if (row === undefined) return undefined;
      const hand = new SqliteHandOut(this.#commits, row, this.#clock.nowMs());
      this.#handingOut.set(row.id, hand.nowMs);
      try {
        const result = await work(hand);
        if (hand.isIdle) return result;
        return await this.#commits.run((tables) => (hand.apply(tables) ? result : undefined));
      } finally {
        this.#handingOut.delete(row.id);
      }
    });
  }

  async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    return await this.#settle(name, leases, true, ({ outstanding }, id, { positions, bytes }, nowMs) =>
      outstanding.remove(id, positions, bytes, nowMs),
    );
  }

  async nack(
    name: string,
    leases: readonly LeaseRef[],
    decide: (row: Outstanding) => Verdict,
  ): Promise<Settled[]> {
    return await this.#settle(name, leases, true, (tables, id, { positions, bytes }, nowMs) => {
      const held = tables.outstanding.held(id, positions, bytes, nowMs);
      for (const row of held) giveBack(tables, id, row, decide(row), nowMs);
      return new Set(held.map(({ position }) => position));
    });
  }

  async extend(name: string, leases: readonly LeaseRef[], leaseMs: number): Promise<Settled[]> {
    return await this.#settle(name, leases, false, ({ outstanding }, id, { positions, bytes }, nowMs) =>
      outstanding.extend(id, positions, bytes, nowMs, Math.ceil(nowMs + leaseMs)),
    );
  }

  async deadLetters(name: string, { after, limit }: { after: number; limit: number }): Promise<DeadEvent[]> {
    return this.#commits.read(({ subscriptions, dead }) => {
      const row = subscriptions.find(name);
      return row === undefined ? [] : dead.page(row.id, after, limit);
    });
  }

  async redrive(name: string, which: DeadSelection): Promise<number> {
    return await this.#change(name, 0, ({ dead }, row) => dead.redrive(row, which, this.#clock.nowMs()));
  }

  async discard(name: string, which: DeadSelection): Promise<number> {
    return await this.#change(name, 0, ({ dead }, { id }) => dead.discard(id, which));
  }

  async seek(name: string, cursor: number): Promise<boolean> {
    return await this.#turns.take(name, () =>
      this.#change(name, false, (tables, { id }) => {
        tables.seek(id, cursor);
        return true;
      }),
    );
  }

  async close(): Promise<void> {
    this.#commits.close();
  }

  async #change<T>(
    name: string,
    otherwise: T,
    work: (tables: SubscriptionTables, row: SubscriptionRow) => T,
  ): Promise<T> {
    return await this.#commits.run((tables) => {
      const row = tables.subscriptions.find(name);
      return row === undefined ? otherwise : work(tables, row);
    });
  }

  /** @param settle does it to what one lease holds, and returns which positions that were */
  async #settle(
    name: string,
    leases: readonly LeaseRef[],
    endsLease: boolean,
    settle: (tables: SubscriptionTables, id: number, lease: OneLease, nowMs: number) => Set<number>,
  ): Promise<Settled[]> {
    return await this.#change(name, stale(leases), (tables, { id }) => {
      const nowMs = this.#nowFor(id);
      const settleOne = (lease: OneLease) => settle(tables, id, lease, nowMs);
      return settleAll(tables.outstanding, id, leases, settleOne, { endsLease });
    });
  }

  /** Never before a hand-out that is under way: what that one found due is over for everybody, also when the clock was set back. */
  #nowFor(id: number): number {
    return Math.max(this.#clock.nowMs(), this.#handingOut.get(id) ?? 0);
  }
}

function giveBack(
  tables: SubscriptionTables,
  id: number,
  { position, attempts }: Outstanding,
  verdict: Verdict,
  nowMs: number,
): void {
  if (verdict.kind === 'dead') tables.bury(id, position, verdict.reason, nowMs);
  else {
    const given = { attempts, ...verdict, dueMs: Math.ceil(nowMs + verdict.delayMs) };
    tables.outstanding.wait(id, position, given);
  }
}

function stale(leases: readonly LeaseRef[]): Settled[] {
  return leases.map(() => 'lease_stale');
}
