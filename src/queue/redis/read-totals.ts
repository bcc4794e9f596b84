import { randomUUID } from 'node:crypto';
import type { QueueKeys } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/**
 * Reads the totals, as of one moment. A memory that has no epoch gets one; and one that has gone back behind what was seen of it
 * (it lost the end of its append-only file, or a replica with less took over) begins a new one, for within an epoch
 * `enqueued` never goes back. What is left in the stream keeps the epoch it was enqueued in.
 */
const READ_TOTALS = new RedisScript(`
local entries, totals = KEYS[1], KEYS[2]
local seen_epoch, seen_enqueued, new_epoch = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local epoch = redis.call('HGET', totals, 'epoch')
local enqueued = redis.call('HGET', totals, 'enqueued') or '0'
local gone_back = epoch == seen_epoch and tonumber(enqueued) < seen_enqueued
if not epoch or gone_back then
  epoch = new_epoch
  redis.call('HSET', totals, 'epoch', epoch, 'enqueued', '0')
end
return {epoch, redis.call('HGET', totals, 'enqueued'), redis.call('HGET', totals, 'bytes') or '0',
  redis.call('XLEN', entries)}
`);

export interface Totals {
  readonly epoch: string;
  readonly enqueued: number;
  readonly bytes: number;
  readonly entries: number;
}

/** What was last seen of the totals. */
export type Seen = Pick<Totals, 'epoch' | 'enqueued'> | undefined;

export async function readTotals(session: RedisSession, keys: QueueKeys, seen: Seen): Promise<Totals> {
  const args = [seen?.epoch ?? '', String(seen?.enqueued ?? 0), randomUUID()];
  const reply = await READ_TOTALS.run(session, [keys.entries, keys.totals], args);
  const [epoch, enqueued, bytes, entries] = reply as [string, string, string, number];
  return { epoch, enqueued: Number(enqueued), bytes: Number(bytes), entries };
}
