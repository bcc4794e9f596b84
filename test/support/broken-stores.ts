/**
 * Stores that break one promise each. The contract must find every one of them out: a suite that these pass would prove
 * nothing of the store that passes it.
 */
import type { KeyIndex } from '../../src/store/dedup/key-index.ts';
import { MemoryKeyIndex } from '../../src/store/dedup/memory-index.ts';
import type { Batch, Counters, Receipt, Store, StoreReader } from '../../src/store/store.ts';
import type { StoreHarness } from '../contract/store/case.ts';
import { SqliteHarness } from './sqlite-harness.ts';

type Wrap = (store: Store) => Store | Promise<Store>;

export interface BrokenStore {
  readonly name: string;
  /** A case of the contract that must fail, by a part of its name. */
  readonly foundBy: string;
  readonly makeHarness: () => StoreHarness & AsyncDisposable;
}

export const BROKEN_STORES: readonly BrokenStore[] = [
  {
    name: 'dedup switched off',
    foundBy: 'the same one again is a duplicate',
    makeHarness: () => new SqliteHarness(() => ({ index: new ForgetfulIndex() })),
  },
  {
    name: 'acknowledges before it commits',
    foundBy: 'what append has resolved for is there after a crash',
    makeHarness() {
      const rehearsal = new SqliteHarness();
      return wrapped(async (store) => new EarlyAck(store, await rehearsal.open()), rehearsal);
    },
  },
  {
    name: 'counts outside the transaction',
    foundBy: 'counters are those of the events after a crash',
    makeHarness: () => wrapped((store) => new LooseCounters(store)),
  },
  {
    name: 'folds the case of its keys',
    foundBy: 'upper and lower case',
    makeHarness: () => wrapped((store) => new CaseFolding(store)),
  },
  {
    name: 'takes every later event of a key for a duplicate',
    foundBy: 'other content is a conflict',
    makeHarness: () => wrapped((store) => new ContentBlind(store)),
  },
  {
    name: 'gives pages whose cursor goes back',
    foundBy: 'pages follow one another',
    makeHarness: () => wrapped((store) => new CursorGoesBack(store)),
  },
];

function wrapped(wrap: Wrap, also?: AsyncDisposable): StoreHarness & AsyncDisposable {
  const harness = new SqliteHarness();
  return {
    open: async () => await wrap(await harness.open()),
    crash: (store) => harness.crash(store),
    async [Symbol.asyncDispose]() {
      await harness[Symbol.asyncDispose]();
      await also?.[Symbol.asyncDispose]();
    },
  };
}

class ForgetfulIndex implements KeyIndex {
  readonly #index = new MemoryKeyIndex();
  get size(): number {
    return this.#index.size;
  }
  get bytes(): number {
    return this.#index.bytes;
  }
  find(): undefined {
    return undefined;
  }
  add(...entry: Parameters<KeyIndex['add']>): void {
    this.#index.add(...entry);
  }
}

/** A store that is right in all but what a subclass breaks. */
class Passing implements Store {
  protected readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }
  get contentSeed() {
    return this.store.contentSeed;
  }
  append(batches: readonly Batch[]): Promise<Receipt[][]> {
    return this.store.append(batches);
  }
  find(topic: string, eventId: string): Promise<number | undefined> {
    return this.store.find(topic, eventId);
  }
  keyStats() {
    return this.store.keyStats();
  }
  events(...query: Parameters<StoreReader['events']>) {
    return this.store.events(...query);
  }
  eventAt(position: number) {
    return this.store.eventAt(position);
  }
  lastPosition() {
    return this.store.lastPosition();
  }
  topics(...page: Parameters<StoreReader['topics']>) {
    return this.store.topics(...page);
  }
  counters(): Promise<Counters> {
    return this.store.counters();
  }
  conflicts(...query: Parameters<StoreReader['conflicts']>) {
    return this.store.conflicts(...query);
  }
  close(): Promise<void> {
    return this.store.close();
  }
}

/** Answers from a rehearsal in another store, and appends to its own when the next group or a read comes. */
class EarlyAck extends Passing {
  readonly #rehearsal: Store;
  #owed: readonly Batch[] = [];
  constructor(store: Store, rehearsal: Store) {
    super(store);
    this.#rehearsal = rehearsal;
  }
  override async append(batches: readonly Batch[]): Promise<Receipt[][]> {
    await this.#settle();
    this.#owed = batches;
    return await this.#rehearsal.append(batches);
  }
  override async lastPosition(): Promise<number> {
    await this.#settle();
    return await super.lastPosition();
  }
  override async close(): Promise<void> {
    await this.#settle();
    await super.close();
  }
  async #settle(): Promise<void> {
    const owed = this.#owed;
    this.#owed = [];
    if (owed.length > 0) await this.store.append(owed);
  }
}

/** Adds up its counters beside the transaction, so that a crash finds the events counted and not counted. */
class LooseCounters extends Passing {
  #counters: Counters = { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0 };
  override async append(batches: readonly Batch[]): Promise<Receipt[][]> {
    const receipts = await super.append(batches);
    const verdicts = receipts.flat().map((receipt) => receipt.verdict);
    const stored = verdicts.filter((verdict) => verdict === 'stored').length;
    const before = this.#counters;
    this.#counters = {
      received: before.received + verdicts.length,
      unique_processed: before.unique_processed + stored,
      duplicate_dropped: before.duplicate_dropped + verdicts.length - stored,
      conflicts: before.conflicts + verdicts.filter((verdict) => verdict === 'conflict').length,
      rejected: before.rejected + batches.reduce((sum, batch) => sum + batch.rejected, 0),
    };
    return receipts;
  }
  override async counters(): Promise<Counters> {
    return this.#counters;
  }
}

class CaseFolding extends Passing {
  override append(batches: readonly Batch[]): Promise<Receipt[][]> {
    return super.append(
      batches.map((batch) => ({
        ...batch,
        events: batch.events.map((event) => ({
          ...event,
          topic: event.topic.toLowerCase(),
          event_id: event.event_id.toLowerCase(),
        })),
      })),
    );
  }
  override find(topic: string, eventId: string): Promise<number | undefined> {
    return super.find(topic.toLowerCase(), eventId.toLowerCase());
  }
}

class ContentBlind extends Passing {
  override append(batches: readonly Batch[]): Promise<Receipt[][]> {
    const content = { high: 1, low: 1 };
    return super.append(
      batches.map((batch) => ({ ...batch, events: batch.events.map((event) => ({ ...event, content })) })),
    );
  }
}

class CursorGoesBack extends Passing {
  override async events(...query: Parameters<StoreReader['events']>) {
    const page = await super.events(...query);
    return { ...page, next: page.next === undefined ? undefined : page.next - 1 };
  }
}
