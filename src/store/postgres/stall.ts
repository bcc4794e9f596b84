import type { Read } from './read-pool.ts';

/** A transaction that has appended events and does not end, so that readers see nothing above its position. */
export interface Stall {
  /** The last position that readers see for its sake. */
  readonly position: number;
  /** How long it has been open. */
  readonly seconds: number;
  /** The program and the process of the server, to look for in pg_stat_activity. */
  readonly by: string;
}

/** Held for longer than this, in seconds: an append takes milliseconds. */
const STALL_S = 1;

/** The transaction that holds readers back the furthest, if it has done so for long. */
export async function readStall(read: Read): Promise<Stall | undefined> {
  const rows = await read(
    `SELECT h.below, extract(epoch FROM clock_timestamp() - a.xact_start), a.application_name, a.pid, a.state
       FROM sekali.held_positions_1 h JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
       WHERE a.xact_start < clock_timestamp() - make_interval(secs => ${STALL_S})
       ORDER BY h.below, a.xact_start LIMIT 1`,
  );
  if (rows[0] === undefined) return undefined;
  const [position, seconds, program, pid, state] = rows[0];
  return {
    position: Number(position),
    seconds: Number(seconds),
    by: `${program || 'a connection'}, process ${pid} of PostgreSQL (${state})`,
  };
}
