import { readFileSync } from 'node:fs';

/** Whether there is such a process. One that ended and that no parent asked about is none. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** In a container whose first process asks about nobody, orphans stay in the table of processes. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
