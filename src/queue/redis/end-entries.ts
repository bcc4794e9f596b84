import type { Entry } from '../queue.ts';
import { GROUP, type QueueKeys } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/** Removes entries for good. What is gone already takes no bytes a second time. */
const END_ENTRIES = new RedisScript(`
local entries, totals, group = KEYS[1], KEYS[2], ARGV[1]
for i = 2, #ARGV, 2 do
  redis.call('XACK', entries, group, ARGV[i])
  if redis.call('XDEL', entries, ARGV[i]) == 1 and ARGV[i + 1] ~= '0' then
    redis.call('HINCRBY', totals, 'bytes', '-' .. ARGV[i + 1])
  end
end
return 1
`);

export async function endEntries(
  session: RedisSession,
  keys: QueueKeys,
  ended: readonly Pick<Entry, 'place' | 'body'>[],
): Promise<void> {
  if (ended.length === 0) return;
  const args = ended.flatMap(({ place, body }) => [place, String(body.length)]);
  await END_ENTRIES.run(session, [keys.entries, keys.totals], [GROUP, ...args]);
}
