import { failpoint } from '../failpoint.ts';
import { messageOf } from '../message-of.ts';
import { mergeEntries } from '../queue/entry-codec.ts';
import type { Entry } from '../queue/queue.ts';
import type { Consumed } from '../store/store.ts';
import type { Claimed, Decoded, Unfit } from './claims.ts';
import type { LogMessage } from './consume-messages.ts';
import type { StoreKeeper } from './store-keeper.ts';

export interface FinisherParts {
  readonly store: StoreKeeper;
  /** Never rejects: see {@link Worker}. */
  readonly ack: (entries: readonly Entry[]) => Promise<void>;
  readonly log: (level: LogMessage['level'], message: string, fields: LogMessage['fields']) => void;
}

/** Brings bundles to their end: each entry consumed or dead, and acknowledged; or left to come again. The rules: worker.ts. */
export class Finisher {
  readonly #attemptsMax: number;
  readonly #parts: FinisherParts;

  constructor(attemptsMax: number, parts: FinisherParts) {
    this.#attemptsMax = attemptsMax;
    this.#parts = parts;
  }

  /** Returns early when the signal is aborted while the store is away. */
  async finish({ unfit, decoded }: Claimed, signal: AbortSignal): Promise<void> {
    for (const each of unfit) await (each.forOthers ? this.#leave(each, signal) : this.#bury(each, signal));
    await this.#consume(decoded, signal);
  }

  async #consume(decoded: readonly Decoded[], signal: AbortSignal): Promise<void> {
    for (let left = decoded; left.length > 0; ) {
      const result = await this.#try(left, signal);
      if (result === undefined) return;
      if (result.kind === 'refused') return this.#singleOut(left, result.reason, signal);
      const done = result.kind === 'consumed' ? left : left.filter(({ entry }) => has(result.ids, entry.id));
      if (done.length === 0) throw new Error('the store repeats entries that it was not given');
      await this.#parts.ack(done.map(({ entry }) => entry));
      left = left.filter((each) => !done.includes(each));
    }
  }

  async #try(decoded: readonly Decoded[], signal: AbortSignal): Promise<Consumed | Refused | undefined> {
    const { epoch } = decoded[0]!.entry;
    const ids = decoded.map(({ entry }) => entry.id);
    const group = mergeEntries(decoded.map(({ opened }) => opened));
    try {
      return await this.#parts.store.use(signal, async (store) => {
        failpoint('consume.before');
        const consumed = await store.consume(group, { epoch, ids });
        failpoint('consume.after');
        return consumed;
      });
    } catch (error) {
      return { kind: 'refused', reason: messageOf(error) };
    }
  }

  async #singleOut(refused: readonly Decoded[], reason: string, signal: AbortSignal): Promise<void> {
    if (refused.length > 1) for (const each of refused) await this.#consume([each], signal);
    else await this.#leave({ entry: refused[0]!.entry, reason }, signal);
  }

  /** It comes again, to any worker, unless it has come too often. */
  async #leave({ entry, reason }: Unfit, signal: AbortSignal): Promise<void> {
    if (entry.attempts >= this.#attemptsMax) await this.#bury({ entry, reason }, signal);
    else
      this.#parts.log('warn', 'An entry was not stored. It is tried again.', { ...fieldsOf(entry), reason });
  }

  /** To the dead letters. One that was consumed all the same, by whoever had it before, is not there twice. */
  async #bury({ entry, reason }: Unfit, signal: AbortSignal): Promise<void> {
    const { epoch, id, events, attempts, body } = entry;
    try {
      const letter = { epoch, id, events, reason, attempts, body };
      const result = await this.#parts.store.use(signal, (store) => store.deadLetter(letter));
      if (result === undefined) return;
      if (result.kind === 'consumed')
        this.#parts.log('error', 'An entry was set aside.', { ...fieldsOf(entry), reason });
      await this.#parts.ack([entry]);
    } catch (error) {
      this.#parts.log('error', 'An entry cannot be set aside.', {
        ...fieldsOf(entry),
        reason: messageOf(error),
      });
    }
  }
}

interface Refused {
  readonly kind: 'refused';
  readonly reason: string;
}

function has(ids: readonly Uint8Array[], id: Uint8Array): boolean {
  return ids.some((each) => Buffer.compare(each, id) === 0);
}

function fieldsOf({ place, attempts, events }: Entry): Record<string, string | number> {
  return { entry: place, attempts, events };
}
