import type { Read } from './read-pool.ts';

/** The position up to which everything is settled (horizon-sql.ts): it is read first, and what lies below it in a later statement. */
export async function readHorizon(read: Read): Promise<number> {
  const rows = await read('SELECT sekali.horizon_1()');
  return Number(rows[0]![0]);
}

/** The last position that was given, and then the horizon: where they are the same, all that was ever begun is settled. */
export async function readPositions(read: Read): Promise<{ last: number; horizon: number }> {
  const rows = await read('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM sekali.positions');
  return { last: Number(rows[0]![0]), horizon: await readHorizon(read) };
}

/**
 * How far this instance may look.
 *
 * What is settled stays settled. A writer that takes its lock a little late holds it below what was settled before it,
 * so the highest answer so far counts. Only a server that has started anew since may have gone back: positions that nobody stored
 * anything at are given again after a crash. A crash of one of its processes is one too, after which
 * `pg_postmaster_start_time` is what it was; but no connection outlives it, so with each that is made the answers so far are forgotten.
 */
export class Horizon {
  #highest = 0;

  async read(read: Read): Promise<number> {
    this.#highest = Math.max(this.#highest, await readHorizon(read));
    return this.#highest;
  }

  forget(): void {
    this.#highest = 0;
  }
}
