import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process in MiB; NaN where the system does not tell (only Linux does). */
export interface Memory {
  /** Pages in memory now, those of mapped files included. */
  readonly residentMiB: number;
  /** The most there has ever been. */
  readonly peakMiB: number;
  /** Memory that is no page of a file: what the system cannot take back. */
  readonly anonymousMiB: number;
}

export function memoryOf(pid: number): Memory {
  const status = read(`/proc/${pid}/status`);
  const mib = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { residentMiB: mib('VmRSS'), peakMiB: mib('VmHWM'), anonymousMiB: mib('RssAnon') };
}

/** Processor time that a process has used so far, in seconds; the clock behind it ticks a hundred times a second. */
export function cpuSecondsOf(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The same of a process and its children, those included that it has seen end: a server with a process a connection. */
export function cpuSecondsOfFamily(pid: number): number {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  const ended = statOf(pid).slice(13, 15);
  const own = cpuSecondsOf(pid) + (Number(ended[0] ?? 0) + Number(ended[1] ?? 0)) / 100;
  return children.reduce((sum, child) => sum + cpuSecondsOf(Number(child)), own);
}

function parentOf(pid: string): number {
  return Number(statOf(pid)[1]);
}

/** The fields that follow the name of the program, from its state on. */
function statOf(pid: number | string): string[] {
  return read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
