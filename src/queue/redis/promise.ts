import { isAtLeast, type PersistenceFacts } from './persistence.ts';

/** What an acknowledgement means on a server, and what has to be waited for so that it does. */
export interface QueuePromise {
  /** Whether an acknowledged entry survives a crash of the server and of its machine. */
  readonly durable: boolean;
  /** As a sentence or two for the operator. */
  readonly text: string;
  readonly confirmation: Confirmation;
}

/**
 * What is waited for after the reply to a write.
 *
 * `none`: the reply itself is enough, or there is nothing more to be had. With `appendfsync always`, Redis writes and fsyncs the
 * append-only file before it sends the replies of the commands in it: beforeSleep (src/server.c) calls flushAppendOnlyFile, which
 * "must be done before handleClientsWithPendingWrites, in case of appendfsync=always". When that write or fsync fails,
 * Redis ends itself.
 */
export type Confirmation =
  | { readonly kind: 'none' }
  /** WAITAOF: on disk here, and with as many replicas. */
  | { readonly kind: 'fsync'; readonly replicas: number }
  /** WAIT: in the memory of as many replicas. */
  | { readonly kind: 'replicas'; readonly replicas: number };

export function promiseOf(facts: PersistenceFacts, replicasMin: number): QueuePromise {
  const confirmation = confirmationOf(facts, replicasMin);
  const replicas = replicasText(confirmation);
  const evicts = facts.evictionPolicy?.startsWith('allkeys-') ?? false;
  const { durable, text } = onDisk(facts, confirmation);
  if (!evicts) return { durable, text: `${text}${replicas}`, confirmation };
  const eviction = `Redis may drop the queue when its memory is full (maxmemory-policy ${facts.evictionPolicy}; noeviction is needed)`;
  return { durable: false, text: `${eviction}. ${text}${replicas}`, confirmation };
}

/**
 * Redis has WAITAOF since 7.2. With `appendfsync everysec`, that of 7.4 answers before the fsync (redis/redis #13793, which mended
 * it in February 2025, before 8.0). So does a Valkey of October 2024: it answered at once, and the fdatasync came 0.85 s later.
 * All versions of Valkey give themselves out for Redis 7.2.4, so none of them is asked.
 */
const WAITAOF_SINCE = [8, 0] as const;

function confirmationOf(facts: PersistenceFacts, replicas: number): Confirmation {
  const always = facts.appendFsync === 'always' && facts.noFsyncOnRewrite === false;
  // WAITAOF is an error where there is no append-only file, and with `appendfsync no` nothing ever fulfils it.
  const fsyncs = facts.appendOnly && (facts.appendFsync === 'always' || facts.appendFsync === 'everysec');
  const waits = fsyncs && isAtLeast(facts.version, ...WAITAOF_SINCE);
  if (waits && (!always || replicas > 0)) return { kind: 'fsync', replicas };
  return replicas > 0 ? { kind: 'replicas', replicas } : { kind: 'none' };
}

type OnDisk = Pick<QueuePromise, 'durable' | 'text'>;

function onDisk(facts: PersistenceFacts, confirmation: Confirmation): OnDisk {
  const { appendOnly, appendFsync, noFsyncOnRewrite } = facts;
  if (!appendOnly) return MEMORY_ONLY;
  if (confirmation.kind === 'fsync') return CONFIRMED;
  if (appendFsync === 'always') return noFsyncOnRewrite === false ? ALWAYS : ALWAYS_BUT_ON_REWRITE;
  if (appendFsync === 'everysec') return EVERY_SECOND;
  return appendFsync === 'no' ? BY_SYSTEM : NOT_TOLD;
}

const MEMORY_ONLY: OnDisk = {
  durable: false,
  text: 'Acknowledged events are in memory only, and lost when Redis ends (appendonly no).',
};
const CONFIRMED: OnDisk = {
  durable: true,
  text: 'Acknowledged events are on the disk of Redis (WAITAOF).',
};
const ALWAYS: OnDisk = {
  durable: true,
  text: 'Acknowledged events are on the disk of Redis (appendfsync always).',
};
const ALWAYS_BUT_ON_REWRITE: OnDisk = {
  durable: false,
  text: 'Acknowledged events are on the disk of Redis, except while it rewrites its file (no-appendfsync-on-rewrite yes).',
};
const EVERY_SECOND: OnDisk = {
  durable: false,
  text: 'Acknowledged events survive the end of Redis; a crash of its machine loses those of the last second or two (appendfsync everysec).',
};
const BY_SYSTEM: OnDisk = {
  durable: false,
  text: 'Acknowledged events survive the end of Redis; a crash of its machine loses those that the system had not written yet (appendfsync no).',
};
const NOT_TOLD: OnDisk = {
  durable: false,
  text: 'Redis has an append-only file, and does not tell when it is written to disk (CONFIG is refused): a crash of its machine may lose acknowledged events.',
};

function replicasText(confirmation: Confirmation): string {
  if (confirmation.kind === 'none' || confirmation.replicas === 0) return '';
  const where = confirmation.kind === 'fsync' ? 'on the disk' : 'in the memory';
  return ` They are ${where} of at least ${confirmation.replicas} of its replicas.`;
}
