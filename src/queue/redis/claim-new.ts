import type { Entry } from '../queue.ts';
import { isReply } from './failures.ts';
import { type RawEntry, toEntries } from './give-entries.ts';
import { GROUP, type QueueKeys } from './options.ts';
import type { RedisSession } from './session.ts';

/**
 * Entries that nobody has been given yet; waits for one, at most `blockMs`, 0: not at all.
 *
 * A memory without entries has no group either; the first worker that asks makes it, from the beginning of the stream: what is
 * enqueued meanwhile is for the workers too.
 */
export async function claimNew(
  session: RedisSession,
  keys: QueueKeys,
  consumer: string,
  entriesMax: number,
  blockMs: number,
): Promise<Entry[]> {
  // BLOCK 0 would wait for ever.
  const block = blockMs > 0 ? ['BLOCK', String(Math.ceil(blockMs))] : [];
  const read = ['XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', String(entriesMax), ...block];
  try {
    const reply = await session.send([...read, 'STREAMS', keys.entries, '>'], {
      waitMs: blockMs,
      binary: true,
    });
    const streams = reply as [key: Buffer, entries: RawEntry[]][] | null;
    return toEntries(streams?.[0]?.[1] ?? []);
  } catch (error) {
    if (!isGroupGone(error)) throw error;
    await makeGroup(session, keys);
    return [];
  }
}

export async function makeGroup(session: RedisSession, keys: QueueKeys): Promise<void> {
  try {
    await session.send(['XGROUP', 'CREATE', keys.entries, GROUP, '0', 'MKSTREAM']);
  } catch (error) {
    // BUSYGROUP: it is there.
    if (!isReply(error, 'BUSYGROUP')) throw error;
  }
}

/** UNBLOCKED: the stream was removed while this was waiting for it. */
export function isGroupGone(error: unknown): boolean {
  return isReply(error, 'UNBLOCKED') || isReply(error, 'NOGROUP');
}
