/**
 * Named points where a test stops the process dead, so that crashes are enumerated rather than left to chance. Off
 * unless `SEKALI_FAILPOINT` names one, as `commit.before:3`: SIGKILL when `commit.before` is reached for the third time.
 */
export const FAILPOINTS = [
  'group.taken',
  'group.decoded',
  'append.begun',
  'append.events',
  'append.keys',
  'append.counters',
  'commit.before',
  'commit.after',
  'answer.before',
  'answer.after',
] as const;

/** Points of the work that no publisher waits for: sealing, merging and rebuilding the files of the key index. */
export const BACKGROUND_FAILPOINTS = [
  'seal.sorted',
  'seal.written',
  'seal.renamed',
  'merge.begun',
  'merge.written',
  'merge.renamed',
  'rebuild.written',
  'rebuild.renamed',
  'step.adopted',
] as const;

/** Points of retiring events. */
export const RETENTION_FAILPOINTS = ['retention.begun', 'retention.before', 'retention.after'] as const;

/** Points of making a backup and of bringing it back. */
export const BACKUP_FAILPOINTS = [
  'backup.begun',
  'backup.subscriptions',
  'backup.database',
  'backup.generation',
  'backup.moving',
  'backup.done',
  'restore.begun',
  'restore.file',
  'restore.moving',
  'restore.done',
] as const;

/** Points of a worker's way from claiming queue entries to acknowledging them. */
export const CONSUME_FAILPOINTS = [
  'consume.claimed',
  'consume.before',
  'consume.after',
  'consume.acked',
] as const;

export type BackupFailpoint = (typeof BACKUP_FAILPOINTS)[number];

export type Failpoint =
  | BackupFailpoint
  | (typeof FAILPOINTS)[number]
  | (typeof BACKGROUND_FAILPOINTS)[number]
  | (typeof CONSUME_FAILPOINTS)[number]
  | (typeof RETENTION_FAILPOINTS)[number];

const [armed, countdown = '1'] = (process.env['SEKALI_FAILPOINT'] ?? '').split(':');
let left = Number(countdown);

export function failpoint(point: Failpoint): void {
  if (point === armed && --left === 0) process.kill(process.pid, 'SIGKILL');
}
