/**
 * Subscription stores that break one promise each. The contract must find every one of them out: a suite that these pass would prove
 * nothing of the store that passes it.
 */
import { systemClock } from '../../src/clock.ts';
import { type DefinitionCondition, holds } from '../../src/store/definition-condition.ts';
import { type Kept, MemorySubscriptions } from '../../src/store/memory/memory-subscriptions.ts';
import type {
  DeadSelection,
  HandOut,
  LeaseRef,
  Outstanding,
  Settled,
  Subscription,
  SubscriptionDefinition,
  Verdict,
} from '../../src/store/subscription-store.ts';

export interface BrokenSubscriptions {
  readonly name: string;
  /** A case of the contract that must fail, by a part of its name. */
  readonly foundBy: string;
  readonly open: (kept: Kept) => MemorySubscriptions;
}

type Work<T> = (hand: HandOut) => Promise<T>;

/** In memory, and open for damage. */
class Breakable extends MemorySubscriptions {
  readonly kept: Kept;

  constructor(kept: Kept) {
    super(systemClock, kept);
    this.kept = kept;
  }

  /** The lease that an event has, whoever asks. */
  leaseAt(name: string, position: number): string {
    return this.kept.get(name)?.rows.get(position)?.lease ?? '';
  }
}

class OverlappingHandOuts extends Breakable {
  override async handOut<T extends {}>(name: string, work: Work<T>): Promise<T | undefined> {
    const kept = this.kept.get(name);
    if (kept !== undefined) kept.turn = Promise.resolve();
    return await super.handOut(name, work);
  }
}

class HalfDone extends Breakable {
  override async handOut<T extends {}>(name: string, work: Work<T>): Promise<T | undefined> {
    const outcome = await super.handOut(name, async (hand) => {
      const [settled] = await Promise.allSettled([work(hand)]);
      return settled;
    });
    if (outcome?.status === 'rejected') throw outcome.reason;
    return outcome?.value;
  }
}

class NoOrder extends Breakable {
  override async handOut<T extends {}>(name: string, work: Work<T>): Promise<T | undefined> {
    return await super.handOut(name, async (hand) => {
      Object.assign(hand.subscription, { ordered: false });
      return await work(hand);
    });
  }
}

class LowestFirst extends Breakable {
  override async handOut<T extends {}>(name: string, work: Work<T>): Promise<T | undefined> {
    return await super.handOut(name, async (hand) => {
      const due = hand.due.bind(hand);
      hand.due = async (limit) => {
        const all = await due(Number.POSITIVE_INFINITY);
        return all.sort((a, b) => a.position - b.position).slice(0, limit);
      };
      return await work(hand);
    });
  }
}

class FirstAttempts extends Breakable {
  override async handOut<T extends {}>(name: string, work: Work<T>): Promise<T | undefined> {
    return await super.handOut(name, async (hand) => {
      const lease = hand.lease.bind(hand);
      hand.lease = async (events, id, leaseMs) => {
        const first = events.map((event) => ({ ...event, attempts: 1 }));
        await lease(first, id, leaseMs);
      };
      return await work(hand);
    });
  }
}

class LateAcks extends Breakable {
  override async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    return await new MemorySubscriptions({ nowMs: () => 0 }, this.kept).ack(name, leases);
  }
}

class AnybodysAcks extends Breakable {
  override async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    const whose = leases.map(({ position }) => ({ position, lease: this.leaseAt(name, position) }));
    return await super.ack(name, whose);
  }
}

class RepeatedAcks extends Breakable {
  override async ack(name: string, leases: readonly LeaseRef[]): Promise<Settled[]> {
    const before = leases.map(({ position, lease }) => this.leaseAt(name, position) === lease);
    await super.ack(name, leases);
    return before.map((held) => (held ? 'done' : 'lease_stale'));
  }
}

class KeptAttempts extends Breakable {
  override async nack(name: string, leases: readonly LeaseRef[], decide: (row: Outstanding) => Verdict) {
    return await super.nack(name, leases, (row) => ({ ...decide(row), attempts: row.attempts }));
  }
}

class CursorFollowsPut extends Breakable {
  override async put(name: string, definition: SubscriptionDefinition, startAfter: number) {
    const put = await super.put(name, definition, startAfter);
    this.kept.get(name)!.cursor = startAfter;
    return put;
  }
}

class UncheckedPut extends Breakable {
  override async put(name: string, definition: SubscriptionDefinition, startAfter: number) {
    return await super.put(name, definition, startAfter);
  }
}

/** The one looks, the other puts, and then the one puts. */
class LateCheckedPut extends Breakable {
  override async put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition: DefinitionCondition = {},
  ) {
    if (!holds(condition, this.kept.get(name)?.version)) return undefined;
    await Promise.resolve();
    return await super.put(name, definition, startAfter);
  }
}

class PutAnyTime extends Breakable {
  override async put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition?: DefinitionCondition,
  ) {
    const kept = this.kept.get(name);
    if (kept !== undefined) kept.turn = Promise.resolve();
    return await super.put(name, definition, startAfter, condition);
  }
}

class LastingVersion extends Breakable {
  override async put(
    name: string,
    definition: SubscriptionDefinition,
    startAfter: number,
    condition?: DefinitionCondition,
  ) {
    const before = this.kept.get(name)?.version;
    const put = await super.put(name, definition, startAfter, condition);
    if (put === undefined || before === undefined) return put;
    this.kept.get(name)!.version = before;
    return { ...put, version: before };
  }
}

class UncheckedRemoval extends Breakable {
  override async remove(name: string) {
    return await super.remove(name);
  }
}

class RowsOutlive extends Breakable {
  readonly #removed: Kept = new Map();

  override async remove(name: string) {
    if (this.kept.has(name)) this.#removed.set(name, this.kept.get(name)!);
    return await super.remove(name);
  }

  override async put(name: string, definition: SubscriptionDefinition, startAfter: number) {
    const put = await super.put(name, definition, startAfter);
    const rows = this.#removed.get(name)?.rows ?? [];
    for (const [position, row] of rows) this.kept.get(name)!.rows.set(position, row);
    return put;
  }
}

class DictionaryOrder extends Breakable {
  override async list(page: { after: string | undefined; limit: number }): Promise<Subscription[]> {
    return (await super.list(page)).sort((a, b) => a.name.localeCompare(b.name));
  }
}

class SeekKeepsLeases extends Breakable {
  override async seek(name: string, cursor: number): Promise<boolean> {
    const rows = [...(this.kept.get(name)?.rows ?? [])];
    const found = await super.seek(name, cursor);
    for (const [position, row] of rows)
      if (row.diedAtMs === undefined) this.kept.get(name)!.rows.set(position, row);
    return found;
  }
}

class SeekKeepsDead extends Breakable {
  override async seek(name: string, cursor: number): Promise<boolean> {
    const rows = [...(this.kept.get(name)?.rows ?? [])];
    const found = await super.seek(name, cursor);
    for (const [position, row] of rows)
      if (row.diedAtMs !== undefined) this.kept.get(name)!.rows.set(position, row);
    return found;
  }
}

class SeekAnyTime extends Breakable {
  override async seek(name: string, cursor: number): Promise<boolean> {
    const kept = this.kept.get(name);
    if (kept !== undefined) kept.turn = Promise.resolve();
    return await super.seek(name, cursor);
  }
}

class TriedBefore extends Breakable {
  override async redrive(name: string, which: DeadSelection): Promise<number> {
    const rows = this.kept.get(name)?.rows ?? new Map<never, never>();
    const before = new Map(rows);
    const count = await super.redrive(name, which);
    for (const [position, row] of rows)
      rows.set(position, { ...row, attempts: before.get(position)!.attempts });
    return count;
  }
}

class DiscardAll extends Breakable {
  override async discard(name: string, _which: DeadSelection): Promise<number> {
    return await super.discard(name, { topic: undefined });
  }
}

const breaks = (
  name: string,
  foundBy: string,
  Store: new (kept: Kept) => Breakable,
): BrokenSubscriptions => ({
  name,
  foundBy,
  open: (kept) => new Store(kept),
});

export const BROKEN_SUBSCRIPTIONS: readonly BrokenSubscriptions[] = [
  breaks('lets two hand out at a time', 'one after the other', OverlappingHandOuts),
  breaks('keeps what a hand-out did before it threw', 'whose work throws', HalfDone),
  breaks('hands a topic out of order', 'is due when they are settled', NoOrder),
  breaks('has a limit fill with events that cannot be due', 'behind a thousand', NoOrder),
  breaks('lets the lowest come first, again and again', 'due for longest', LowestFirst),
  breaks('forgets how often an event was tried', 'with attempts and reason', FirstAttempts),
  breaks('takes an acknowledgement after the end of its lease', 'whose time is over', LateAcks),
  breaks('takes an acknowledgement at the end of its lease', 'last millisecond', LateAcks),
  breaks('takes an acknowledgement of whoever had it first', 'was handed out again', AnybodysAcks),
  breaks('counts an acknowledgement twice', 'named twice', RepeatedAcks),
  breaks('counts an attempt that was none', 'as often as was decided', KeptAttempts),
  breaks('moves the cursor with the definition', 'another definition', CursorFollowsPut),
  breaks('puts whatever the condition says', 'changes nothing', UncheckedPut),
  breaks('looks at the condition before others have put', 'at once, one does it', LateCheckedPut),
  breaks('has a hand-out end by a definition that is gone', 'beneath a hand-out', PutAnyTime),
  breaks('keeps the version when it is put again', 'have one version', LastingVersion),
  breaks('removes whatever the condition says', 'removes nothing', UncheckedRemoval),
  breaks('leaves the rows of what is removed', 'takes all its rows', RowsOutlive),
  breaks('lists names as a dictionary does', 'listed by name', DictionaryOrder),
  breaks('leaves leases when the cursor is moved', 'gives up what is outstanding', SeekKeepsLeases),
  breaks('leaves dead events above the cursor', 'dead events stay', SeekKeepsDead),
  breaks('lets a hand-out undo a seek', 'not moved while', SeekAnyTime),
  breaks('remembers attempts of what is driven again', 'as if they had never been tried', TriedBefore),
  breaks('discards more than was chosen', 'and no others', DiscardAll),
];
