import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Of the scheduler's weights, about a tenth of what a thread of the usual priority has. */
const NICE = 10;

/**
 * Makes the thread that calls it give way to others when processors are short. On Linux, where a priority is a thread's own;
 * elsewhere it does nothing, for it would be the whole process's.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1)); // PROCESS/task/THREAD
    setPriority(thread, NICE);
  } catch {
    // Where that is not allowed it goes on as it is: slower answers while a generation is sealed.
  }
}
