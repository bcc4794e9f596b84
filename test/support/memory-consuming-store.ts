import assert from 'node:assert/strict';
import type { WorkerStore } from '../../src/consume/worker-settings.ts';
import { SekaliError } from '../../src/errors.ts';
import type { CommitGroup, Consumed, ConsumedEntries, DeadLetter } from '../../src/store/store.ts';

/** A database that many stores share: what workers need of one, in memory. */
export class MemoryDatabase {
  /** Entries by id in hex: what became of them, once and for all. */
  readonly ended = new Map<string, 'consumed' | 'dead'>();
  readonly letters: DeadLetter[] = [];
  /** Of the events consumed or dead, how many, by epoch. */
  readonly consumed: Record<string, number> = {};
  /** Ids of the stored events, as often as they were stored. */
  readonly events: string[] = [];
  /** The ids of each call that stored something. */
  readonly calls: string[][] = [];
  /** Ids of entries that are refused, in hex. */
  readonly refused = new Set<string>();
  /** A transaction of more entries is too much for it. */
  entriesMax = Number.POSITIVE_INFINITY;
  /** Ids of entries that it does not even set aside, in hex. */
  readonly unburied = new Set<string>();
  /** Nobody can reach it. */
  isAway = false;
  /** Stores that were opened and not closed. */
  open = 0;

  openStore(): WorkerStore {
    this.#reach();
    this.open++;
    let isClosed = false;
    let isBusy = false;
    const alone = async <T>(work: () => T): Promise<T> => {
      assert.ok(!isClosed, 'a closed store is not used');
      assert.ok(!isBusy, 'one call at a time');
      isBusy = true;
      try {
        await Promise.resolve(); // a turn in which a second call would be seen
        this.#reach();
        return work();
      } finally {
        isBusy = false;
      }
    };
    return {
      consume: (group, entries) => alone(() => this.#consume(group, entries)),
      deadLetter: (letter) => alone(() => this.#bury(letter)),
      lastPosition: () => alone(() => this.events.length),
      close: async () => {
        if (!isClosed) this.open--;
        isClosed = true;
      },
    };
  }

  #consume({ events, batches }: CommitGroup, { epoch, ids }: ConsumedEntries): Consumed {
    assert.equal(batches.length, ids.length);
    const repeated = ids.filter((id) => this.ended.has(hex(id)));
    if (repeated.length > 0) return { kind: 'repeated', ids: repeated };
    if (ids.some((id) => this.refused.has(hex(id))))
      throw new SekaliError('entry_refused', 'The database refuses it.');
    if (ids.length > this.entriesMax) throw new SekaliError('entry_refused', 'It is too much.');
    for (const id of ids) this.ended.set(hex(id), 'consumed');
    for (let i = 0; i < events.length; i++) this.events.push(events.eventId(i));
    this.#count(epoch, events.length);
    this.calls.push(ids.map(hex));
    return { kind: 'consumed' };
  }

  #bury(letter: DeadLetter): Consumed {
    if (this.ended.has(hex(letter.id))) return { kind: 'repeated', ids: [letter.id] };
    if (this.unburied.has(hex(letter.id))) throw new SekaliError('entry_refused', 'It is no letter.');
    this.ended.set(hex(letter.id), 'dead');
    this.letters.push(letter);
    this.#count(letter.epoch, letter.events);
    return { kind: 'consumed' };
  }

  #count(epoch: string, events: number): void {
    this.consumed[epoch] = (this.consumed[epoch] ?? 0) + events;
  }

  #reach(): void {
    if (this.isAway) throw new SekaliError('store_unavailable', 'The database is away.');
  }
}

export function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
