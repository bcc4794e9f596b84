import { SekaliError } from '../../errors.ts';
import { keysOf } from './options.ts';
import { RedisScript } from './script.ts';
import type { RedisSession } from './session.ts';

/** Writes only where nothing is written yet: a server whose memory is full takes no write, and must be emptied all the same. */
const OWN_QUEUE = new RedisScript(`
local totals, store = KEYS[1], ARGV[1]
local owner = redis.call('HGET', totals, 'store')
if owner then return owner end
redis.call('HSET', totals, 'store', store)
return store
`);

/**
 * Makes sure that the queue is of this store: of the first that used it. Two stores on one queue, two deployments that share a
 * Redis and its default key, would each store half of what the other has acknowledged, under keys that mean nothing there.
 *
 * @throws SekaliError `config_invalid` when the queue is another's
 */
export async function ownQueue(session: RedisSession, queueKey: string, storeMark: string): Promise<void> {
  const { entries, totals } = keysOf(queueKey);
  const owner = await OWN_QUEUE.run(session, [totals], [storeMark]);
  if (owner === storeMark) return;
  throw new SekaliError(
    'config_invalid',
    `The queue ${JSON.stringify(queueKey)} belongs to another store. Set another QUEUE_KEY; or, if that store is no more and ` +
      `what is queued for it may go, delete the Redis keys ${entries} and ${totals}.`,
  );
}
