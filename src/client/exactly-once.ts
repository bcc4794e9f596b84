import type { DeliveryContext, Handler } from './handler.ts';

/** A day, in milliseconds. */
const DAY_MS = 86_400_000;

/** Between two times that marks are cleared away, and how many go in one transaction. */
const FORGET_EVERY_MS = 60_000;
const FORGET_AT_ONCE = 1000;

/** What says that an event was worked on. */
export interface Mark {
  readonly subscription: string;
  readonly topic: string;
  readonly event_id: string;
  readonly position: number;
}

/**
 * A database in which the work is done and its mark is kept. To whoever implements it: what `work` does with `tx` and what `mark` does
 * with it are one transaction, which counts as a whole once `transaction` has resolved, and else not at all.
 */
export interface MarkStore<Tx> {
  /** Commits when the work resolves, rolls back and throws its error when it rejects. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Leaves a mark of (subscription, topic, event_id), each compared byte by byte. Where another transaction that has not ended is leaving the
   * same, it waits for its end.
   *
   * @returns false when it was there
   */
  mark(tx: Tx, mark: Mark): Promise<boolean>;
  /** Makes the table of marks, where it is missing. Called before the first event. */
  prepare?(): Promise<void>;
  /** Removes marks that are older, at most `limit`. @returns how many */
  forget?(olderThanMs: number, limit: number): Promise<number>;
}

export interface ExactlyOnceOptions {
  /** How long marks are kept: longer than any event may still be handed out, dead letters included. Default 30 days. */
  readonly keepMs?: number;
  /** Whether the table of marks is made before the first event. Default true; false where the consumer's user may not make tables. */
  readonly prepare?: boolean;
  /** Told when marks could not be cleared away; the next time is a minute later. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * A handler whose effects in one database happen exactly once, however often the event comes: the work and the mark that it is done
 * are one transaction. An event that comes again finds the mark, and is acknowledged without work.
 *
 * It holds for what is written through `tx`, whose transaction the work does not end; an error of the database it does not swallow, for
 * with it the transaction may be over. A mail that the work sends goes out again when the commit fails: write into a table
 * what is to be sent, and send from there. While a mark is kept, its event is not worked on again by this subscription: not after a seek,
 * nor where its topic's dedup window has let it be stored anew.
 */
export function exactlyOnce<Event extends Omit<Mark, 'subscription'>, Tx>(
  store: MarkStore<Tx>,
  work: (event: Event, tx: Tx, context: DeliveryContext) => unknown,
  { keepMs = 30 * DAY_MS, prepare = true, onTrouble = () => {} }: ExactlyOnceOptions = {},
): Handler<Event> {
  let forgetAtMs = 0;
  let preparing: Promise<void> | undefined;

  return async (event, context) => {
    const { topic, event_id, position } = event;
    await prepared();
    await store.transaction(async (tx) => {
      const isNew = await store.mark(tx, { subscription: context.subscription, topic, event_id, position });
      if (isNew) await work(event, tx, context);
    });
    if (performance.now() < forgetAtMs) return;
    forgetAtMs = performance.now() + FORGET_EVERY_MS;
    // Beside the work: nobody waits for it.
    void forget();
  };

  /** Once, for all who come first; again after a failure. */
  async function prepared(): Promise<void> {
    if (!prepare) return;
    preparing ??= store.prepare?.();
    try {
      await preparing;
    } catch (error) {
      preparing = undefined;
      throw error;
    }
  }

  async function forget(): Promise<void> {
    try {
      const count = (await store.forget?.(keepMs, FORGET_AT_ONCE)) ?? 0;
      // There are more: after the next event.
      if (count >= FORGET_AT_ONCE) forgetAtMs = 0;
    } catch (error) {
      onTrouble(error);
    }
  }
}
