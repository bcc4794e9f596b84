/**
 * Stores that break one promise each. The contract must find every one of them out: a suite that these pass would prove
 * nothing of the store that passes it.
 */
import { randomFillSync } from 'node:crypto';
import type { Event } from '../../src/event.ts';
import { KEY_BYTES, KeyHasher } from '../../src/store/dedup/key.ts';
import { CONTENT_HIGH, CONTENT_LOW, EVENT_WORDS, EventPack, KEY } from '../../src/store/event-pack.ts';
import { packEvent } from '../../src/store/pack-event.ts';
import { CONFLICT, type CommitGroup, type Receipts, STORED, type Store } from '../../src/store/store.ts';
import { type Counters, type StoreReader } from '../../src/store/store-reader.ts';
import type { StoreHarness } from '../contract/store/case.ts';
import { PassingStore } from './passing-store.ts';
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
    makeHarness: () => wrapped((store) => new FreshKeys(store)),
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
  {
    name: 'passes over sequences that are stored while a reader is on its way',
    foundBy: 'whoever goes on where the sequences ended',
    makeHarness: () => wrapped((store) => new PassesOverSequences(store)),
  },
  {
    name: 'takes a page that is empty for the last one',
    foundBy: 'a page that has looked at enough ends',
    makeHarness: () => wrapped((store) => new EmptyIsLast(store)),
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

/** Each event gets a key that no other has. */
class FreshKeys extends PassingStore {
  override append(group: CommitGroup): Promise<Receipts> {
    const { words, length } = group.events;
    for (let i = 0; i < length; i++) randomFillSync(words, i * EVENT_WORDS + KEY, KEY_BYTES / 4);
    return super.append(group);
  }
}

/** Answers from a rehearsal in another store, and appends to its own when the next group or a read comes. */
class EarlyAck extends PassingStore {
  readonly #rehearsal: Store;
  #owed: CommitGroup | undefined;
  constructor(store: Store, rehearsal: Store) {
    super(store);
    this.#rehearsal = rehearsal;
  }
  override async append(group: CommitGroup): Promise<Receipts> {
    await this.#settle();
    this.#owed = group;
    return await this.#rehearsal.append(group);
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
    this.#owed = undefined;
    if (owed !== undefined) await this.store.append(owed);
  }
}

/** Adds up its counters beside the transaction, so that a crash finds the events counted and not counted. */
class LooseCounters extends PassingStore {
  #counters: Counters = {
    received: 0,
    unique_processed: 0,
    duplicate_dropped: 0,
    conflicts: 0,
    rejected: 0,
    dead_lettered: 0,
    consumed: {},
  };
  override async append(group: CommitGroup): Promise<Receipts> {
    const receipts = await super.append(group);
    const count = (wanted: number) => receipts.verdicts.filter((verdict) => verdict === wanted).length;
    const { length } = receipts.verdicts;
    const before = this.#counters;
    this.#counters = {
      ...before,
      received: before.received + length,
      unique_processed: before.unique_processed + count(STORED),
      duplicate_dropped: before.duplicate_dropped + length - count(STORED),
      conflicts: before.conflicts + count(CONFLICT),
      rejected: before.rejected + group.batches.reduce((sum, batch) => sum + batch.rejected, 0),
    };
    return receipts;
  }
  override async counters(): Promise<Counters> {
    return this.#counters;
  }
}

class CaseFolding extends PassingStore {
  override append({ events, batches }: CommitGroup): Promise<Receipts> {
    const { keySecret, contentSeed } = this.secrets;
    const hasher = new KeyHasher(keySecret);
    const folded = new EventPack();
    for (let i = 0; i < events.length; i++) packEvent(folded, fold(events.event(i)), hasher, contentSeed);
    return super.append({ events: folded, batches });
  }
  override find(topic: string, eventId: string): Promise<number | undefined> {
    return super.find(topic.toLowerCase(), eventId.toLowerCase());
  }
}

function fold(event: Event): Event {
  return { ...event, topic: event.topic.toLowerCase(), event_id: event.event_id.toLowerCase() };
}

class ContentBlind extends PassingStore {
  override append(group: CommitGroup): Promise<Receipts> {
    const { words, length } = group.events;
    for (let i = 0; i < length; i++) {
      words[i * EVENT_WORDS + CONTENT_HIGH] = 1;
      words[i * EVENT_WORDS + CONTENT_LOW] = 1;
    }
    return super.append(group);
  }
}

class CursorGoesBack extends PassingStore {
  override async events(...query: Parameters<StoreReader['events']>) {
    const page = await super.events(...query);
    return { ...page, next: page.next === undefined ? undefined : page.next - 1 };
  }
}

/** Says that it has looked further than it has. */
class PassesOverSequences extends PassingStore {
  override async sequences(...query: Parameters<StoreReader['sequences']>) {
    const page = await super.sequences(...query);
    return { ...page, through: page.through + (page.isAtEnd ? 1000 : 0) };
  }
}

class EmptyIsLast extends PassingStore {
  override async events(...query: Parameters<StoreReader['events']>) {
    const page = await super.events(...query);
    return page.events.length === 0 ? { ...page, next: undefined } : page;
  }
}
