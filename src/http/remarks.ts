import { messageOf } from '../message-of.ts';
import type { Parts } from './parts.ts';

/** What an operator should know, although events can be stored: a sentence each. */
export async function readRemarks({ reader, backlog, workers }: Parts): Promise<string[]> {
  const remarks: string[] = [];
  if (backlog !== undefined) {
    const told = await backlog.state().then(({ promise }) => promise, messageOf);
    remarks.push(`ack=queued: ${told}`, `workers: ${workersLine(workers)}`);
  }
  const stall = await reader.stall?.().catch(() => undefined); // a database that is away is told as a fault
  if (stall !== undefined) {
    const { position, seconds, by } = stall;
    remarks.push(`readers: held back at position ${position} for ${Math.round(seconds)} s by ${by}`);
  }
  return remarks;
}

function workersLine(workers: Parts['workers']): string {
  if (workers === undefined) return 'none here';
  const { count, downReason } = workers;
  return downReason === undefined ? String(count) : `${count}; ${downReason}`;
}
