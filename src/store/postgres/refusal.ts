import { SekaliError } from '../../errors.ts';
import { sqlStateOf } from './connection.ts';

/**
 * A *refusal* is a failure that is about what a queue entry holds, whenever and wherever it is tried: it counts against the
 * entry. Any other is the database's, which is waited for. Taken for the other kind, a refusal would be repeated for
 * ever, by every worker; and an outage would send good entries to the dead letters.
 */

/** SQLSTATE classes of what the database does not take: data exception, integrity constraint, program limit. */
const REFUSED_CLASSES = new Set(['22', '23', '54']);

/**
 * SQLSTATEs of work that was more than the server could do in one statement: its time, its memory. Of a bundle the entries may
 * well pass one by one. Time in which a lock was waited for (55P03) or a commit waited for its disk or its standby is
 * none of it: PostgreSQL ends the one before, and has stopped its clock at the other.
 */
const TOO_MUCH = new Set(['57014', '53200']);

/** The refusal that an error is, or undefined. What was refused has been undone. */
export function refusalOf(error: unknown): SekaliError | undefined {
  const state = sqlStateOf(error);
  if (state === undefined || !(REFUSED_CLASSES.has(state.slice(0, 2)) || TOO_MUCH.has(state)))
    return undefined;
  return new SekaliError('entry_refused', `PostgreSQL: ${(error as Error).message}`, { cause: error });
}

/** @throws SekaliError `entry_refused` for a refusal; any other error as it is */
export async function orRefused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}
