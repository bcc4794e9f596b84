import type { Entry } from '../queue.ts';
import { type RawEntry, toEntries } from './give-entries.ts';
import { GROUP, type QueueKeys } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/** Entries that were given to this very consumer and are not acknowledged, after a place; counted as handed out once more. */
const CLAIM_OWN = new RedisScript(`
local entries, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local read = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', ARGV[4], 'STREAMS', entries, ARGV[3])
local given = {}
for _, entry in ipairs(read and read[1][2] or {}) do
  if entry[2] then
    local pending = redis.call('XPENDING', entries, group, entry[1], entry[1], 1)
    table.insert(given, {entry[1], entry[2], pending[1][4]})
  else
    redis.call('XACK', entries, group, entry[1])
  end
end
return given
`);

export async function claimOwn(
  session: RedisSession,
  keys: QueueKeys,
  consumer: string,
  { after, entriesMax }: { after: string; entriesMax: number },
): Promise<Entry[]> {
  const args = [GROUP, consumer, after, String(entriesMax)];
  return toEntries((await CLAIM_OWN.run(session, [keys.entries], args, { binary: true })) as RawEntry[]);
}
