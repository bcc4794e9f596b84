import { instantColumn } from './instant-column.ts';
import type { Read } from './read-pool.ts';

/** Positions that are looked at together: with a thousand million events, six times. */
const PROBES = 31;

/** Events below what was found that are looked at one by one. */
const LOOKED_AT = 20_000;

/**
 * The highest position, up to the horizon, of what was stored before a time; 0 when there is none.
 *
 * No index knows the times: it would cost every append. They rise with the positions, but for groups that overtake one another:
 * the time of a group is that of its beginning, and it may then wait for keys and take its positions after another one that began
 * later. So the place is searched for by halves, or rather by 32nds, and then the events right below it are looked at: if one of
 * them was stored at the time or later, it is searched again below that one. So the answer may be too low, never by more than the
 * events that were overtaken, and whoever begins above it gets all that was stored since; that it is not too high holds as long
 * as nothing overtakes more than {@link LOOKED_AT} events of others, and the clock of the server is not set back.
 */
export async function positionBefore(read: Read, timeMs: number, horizon: number): Promise<number> {
  const timeUs = Math.ceil(timeMs * 1000);
  for (let end = horizon + 1; ; ) {
    const found = await search(read, timeUs, end);
    if (found === 0) return 0;
    const late = await lowestLate(read, timeUs, found);
    if (late === undefined) return found;
    end = late;
  }
}

/** Between two neighbours, of which the first is too early and the second not, below `end`. @returns the first one's position */
async function search(read: Read, timeUs: number, end: number): Promise<number> {
  let [early, late] = [0, end];
  while (late - early > 1) {
    const probes = await probe(read, probesBetween(early, late), late);
    for (const { position, storedUs } of probes)
      if (storedUs !== undefined && storedUs < timeUs) early = position;
    for (const { from, storedUs } of probes)
      if (from > early && from < late && (storedUs === undefined || storedUs >= timeUs)) late = from;
  }
  return early;
}

function probesBetween(early: number, late: number): number[] {
  const count = Math.min(PROBES, late - early - 1);
  return Array.from(
    { length: count },
    (_, i) => early + Math.floor(((late - early) * (i + 1)) / (count + 1)),
  );
}

interface Probe {
  readonly from: number;
  /** Of the first event from there on and below the end, and when it was stored: there may be none. */
  readonly position: number;
  readonly storedUs: number | undefined;
}

async function probe(read: Read, positions: readonly number[], end: number): Promise<Probe[]> {
  const rows = await read(
    `SELECT p.position, e.position, ${instantColumn('e.processed_at')}
       FROM unnest($1::bigint[]) WITH ORDINALITY AS p (position, number)
       LEFT JOIN LATERAL (
         SELECT position, processed_at FROM sekali.events
           WHERE position >= p.position AND position < $2::bigint ORDER BY position LIMIT 1
       ) AS e ON true`,
    [positions, end],
  );
  return rows
    .map(([from, position, stored]) => ({
      from: Number(from),
      position: Number(position),
      storedUs: (stored ?? undefined) === undefined ? undefined : Number(stored),
    }))
    .sort((a, b) => a.from - b.from);
}

/** The lowest position, of the events right up to here, of one that was stored at the time or later. */
async function lowestLate(read: Read, timeUs: number, position: number): Promise<number | undefined> {
  const rows = await read(
    `SELECT min(position) FROM (
       SELECT position, processed_at FROM sekali.events
         WHERE position <= $1::bigint ORDER BY position DESC LIMIT ${LOOKED_AT}
     ) AS e WHERE ${instantColumn('processed_at')} >= $2::bigint`,
    [position, timeUs],
  );
  const late = rows[0]![0] ?? undefined;
  return late === undefined ? undefined : Number(late);
}
