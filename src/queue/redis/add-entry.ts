import { randomUUID } from 'node:crypto';
import { SekaliError } from '../../errors.ts';
import { GROUP, type QueueKeys, type RedisQueueOptions } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/**
 * Adds an entry and counts it, or refuses it: one step, so that `enqueued` never counts what is not there.
 *
 * The group of the workers is made with the stream, and not by the first worker: a server whose memory is full refuses to make
 * one, and could then never be emptied.
 *
 * An empty stream takes no bytes, whatever the count says: that mends the count after somebody has trimmed the stream by hand.
 * Whose the queue is was settled with the session (own-queue.ts), and is written again in case somebody has flushed the server since.
 * Totals go as texts: Lua would round what it prints as a number.
 */
const ADD_ENTRY = new RedisScript(`
local entries, totals = KEYS[1], KEYS[2]
local id, events, body, bytes_max = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local new_epoch, group, store = ARGV[5], ARGV[6], ARGV[7]
local bytes = tonumber(redis.call('HGET', totals, 'bytes') or '0')
if bytes + #body > bytes_max and bytes > 0 and redis.call('XLEN', entries) == 0 then
  redis.call('HSET', totals, 'bytes', '0')
  bytes = 0
end
if bytes + #body > bytes_max then return {0, tostring(bytes)} end
redis.call('HSETNX', totals, 'epoch', new_epoch)
if store ~= '' then redis.call('HSETNX', totals, 'store', store) end
if redis.call('EXISTS', entries) == 0 then redis.call('XGROUP', 'CREATE', entries, group, '0', 'MKSTREAM') end
local epoch = redis.call('HGET', totals, 'epoch')
redis.call('XADD', entries, '*', 'id', id, 'events', events, 'epoch', epoch, 'body', body)
redis.call('HINCRBY', totals, 'bytes', #body)
redis.call('HINCRBY', totals, 'enqueued', events)
return {1, epoch, redis.call('HGET', totals, 'enqueued')}
`);

export interface NewEntry {
  readonly id: Uint8Array;
  readonly events: number;
  readonly body: Buffer;
}

/** @throws SekaliError `overloaded` when there is no room for it */
export async function addEntry(
  session: RedisSession,
  keys: QueueKeys,
  { id, events, body }: NewEntry,
  { bytesMax, storeMark = '' }: Pick<RedisQueueOptions, 'bytesMax' | 'storeMark'>,
): Promise<{ epoch: string; enqueued: number }> {
  const args = [Buffer.from(id), String(events), body, String(bytesMax), randomUUID(), GROUP, storeMark];
  const reply = (await ADD_ENTRY.run(session, [keys.entries, keys.totals], args)) as
    | [1, epoch: string, enqueued: string]
    | [0, bytes: string];
  if (reply[0] === 1) return { epoch: reply[1], enqueued: Number(reply[2]) };
  throw new SekaliError(
    'overloaded',
    body.length > bytesMax
      ? `A queue entry of ${body.length} bytes is larger than the queue may be: ${bytesMax} bytes.`
      : `The queue is full: it has ${reply[1]} bytes of at most ${bytesMax}, and the workers have to catch up.`,
  );
}
