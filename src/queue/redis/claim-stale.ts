import type { Entry } from '../queue.ts';
import { type RawEntry, toEntries } from './give-entries.ts';
import { GROUP, type QueueKeys } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/**
 * Takes over entries that no worker has ended within `claimMs`, whoever they were given to, from the cursor on. The reply of
 * XAUTOCLAIM does not say how often an entry was handed out: hence a script, which looks it up in the same step.
 */
const CLAIM_STALE = new RedisScript(`
local entries, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local claimed = redis.call('XAUTOCLAIM', entries, group, consumer, ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local given = {}
for _, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', entries, group, entry[1], entry[1], 1)
  table.insert(given, {entry[1], entry[2], pending[1][4]})
end
return {claimed[1], given}
`);

/** Where the search begins, and where it ends when it has seen all. */
export const CURSOR_START = '0-0';

export async function claimStale(
  session: RedisSession,
  keys: QueueKeys,
  consumer: string,
  { claimMs, cursor, entriesMax }: { claimMs: number; cursor: string; entriesMax: number },
): Promise<{ cursor: string; entries: Entry[] }> {
  const args = [GROUP, consumer, String(claimMs), cursor, String(entriesMax)];
  const reply = await CLAIM_STALE.run(session, [keys.entries], args, { binary: true });
  const [next, raw] = reply as [Buffer, RawEntry[]];
  return { cursor: next.toString(), entries: toEntries(raw) };
}
