import { messageOf } from '../message-of.ts';
import type { Parts } from './parts.ts';

export const PARTS = ['server', 'database', 'queue'] as const;

export type Part = (typeof PARTS)[number];

export interface Fault {
  readonly part: Part;
  readonly reason: string;
}

/** What stands in the way of storing an event now. */
export async function findFaults({ admission, queue, lifecycle, reader, backlog }: Parts): Promise<Fault[]> {
  const found: Fault[] = [];
  if (lifecycle.draining) found.push({ part: 'server', reason: 'shutting down' });
  const database = queue.downReason('stored') ?? (await fault(() => reader.lastPosition()));
  if (database !== undefined) found.push({ part: 'database', reason: database });
  const server = backlog && (queue.downReason('queued') ?? (await fault(() => backlog.state())));
  if (server !== undefined) found.push({ part: 'queue', reason: server });
  if (admission.isFull) found.push({ part: 'queue', reason: 'full' });
  return found;
}

async function fault(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
