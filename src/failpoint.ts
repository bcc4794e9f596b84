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

export type Failpoint = (typeof FAILPOINTS)[number];

const [armed, countdown = '1'] = (process.env['SEKALI_FAILPOINT'] ?? '').split(':');
let left = Number(countdown);

export function failpoint(point: Failpoint): void {
  if (point === armed && --left === 0) process.kill(process.pid, 'SIGKILL');
}
