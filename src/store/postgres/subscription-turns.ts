import { SekaliError } from '../../errors.ts';

/** Longest wait for a turn, in milliseconds: as for a connection. */
const WAIT_MS = 5000;

interface Line {
  /** Those at work or waiting. */
  size: number;
  /** Ends when all who have come so far are through. */
  last: Promise<void>;
}

/**
 * One hand-out of a subscription at a time in this process: those that would wait in the database for the one before would each
 * hold a connection meanwhile, and others of other subscriptions could have none. Between processes the database sees to it.
 */
export class HandOutTurns {
  readonly #lines = new Map<string, Line>();

  /** @throws SekaliError `overloaded` when the turn does not come in time */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(name) ?? { size: 0, last: Promise.resolve() };
    this.#lines.set(name, line);
    const before = line.last;
    const mine = Promise.withResolvers<void>();
    line.size++;
    // Both: one that gave up its turn does not let the next one in early.
    line.last = bothOf(before, mine.promise);
    try {
      await inTime(before);
      return await work();
    } finally {
      mine.resolve();
      if (--line.size === 0) this.#lines.delete(name);
    }
  }
}

async function bothOf(before: Promise<void>, mine: Promise<void>): Promise<void> {
  await before;
  await mine;
}

async function inTime(turn: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new SekaliError('overloaded', 'too many hand-outs of the subscription are waiting'));
  }, WAIT_MS);
  try {
    await Promise.race([turn, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
