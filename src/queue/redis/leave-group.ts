import type { Entry } from '../queue.ts';
import { GROUP, type QueueKeys } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/** A consumer without a word for so long is of a process that is gone: one that lives asks every second. */
const FORGET_AFTER_MS = 3_600_000;

/**
 * Removes consumers that have nothing to do with entries any more. A consumer that had one would take it along: the entry
 * would stay in the stream, and never be handed out. Hence the look and the removal are one step.
 */
const FORGET_CONSUMERS = new RedisScript(`
local entries, group, idle_min, leaving = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', entries, group)) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  if consumer.pending == 0 and (consumer.name == leaving or consumer.idle > idle_min) then
    redis.call('XGROUP', 'DELCONSUMER', entries, group, consumer.name)
  end
end
return 1
`);

/** Removes consumers that have been gone for an hour, and the one that leaves now. */
export async function forgetConsumers(session: RedisSession, keys: QueueKeys, leaving = ''): Promise<void> {
  await FORGET_CONSUMERS.run(session, [keys.entries], [GROUP, String(FORGET_AFTER_MS), leaving]);
}

/** Lets go of entries that were handed out and not looked at: the next worker that searches for stale ones finds them. */
export async function letGo(
  session: RedisSession,
  keys: QueueKeys,
  consumer: string,
  entries: readonly Entry[],
  claimMs: number,
): Promise<void> {
  if (entries.length === 0) return;
  const places = entries.map(({ place }) => place);
  // As if they had been handed out `claimMs` ago, and never.
  const aged = ['IDLE', String(claimMs), 'RETRYCOUNT', '0', 'JUSTID'];
  await session.send(['XCLAIM', keys.entries, GROUP, consumer, '0', ...places, ...aged]);
}
