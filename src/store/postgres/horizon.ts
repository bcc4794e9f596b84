import type { Read } from './read-pool.ts';

/**
 * How far this instance may look (horizon-sql.ts): a reader asks for it first, and reads then, in a later statement.
 *
 * What is settled stays settled. A writer that takes its lock a little late holds it below what was settled before it,
 * so the highest answer so far counts. Only a server that has started since may have gone back: positions that nobody stored
 * anything at are given again after a crash.
 */
export class Horizon {
  #highest = 0;
  #server = '';

  async read(read: Read): Promise<number> {
    const rows = await read('SELECT sekali.horizon_1(), pg_postmaster_start_time()');
    const [horizon, server] = rows[0] as [string, string];
    if (server !== this.#server) this.#highest = 0;
    this.#server = server;
    this.#highest = Math.max(this.#highest, Number(horizon));
    return this.#highest;
  }
}
