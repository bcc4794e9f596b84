/**
 * The files that one log was written to, one after the other: `app.log` is the one being written; rotation has renamed
 * or copied the earlier ones to `app.log.1`, `app.log-20260131`, `app.log.2026-01-31_12`, …
 */
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LineReaderOptions, ReaderPosition } from './line-reader.ts';
import { compareAges, LogFile } from './log-file.ts';
import { isMissing, isRefused } from './unreadable.ts';

/** What rotation puts behind a name: a number or a date. Not `.gz` (its bytes are others), not `.bak` (nobody's log). */
const ROTATED = /^[._-][\d._:T-]*\d$/;

/** A file of the log, as it was when it was looked at. */
export interface Generation {
  readonly path: string;
  readonly stats: BigIntStats;
}

/**
 * The earlier generation that was shipped up to a position: the one that begins with the same bytes. It is at that
 * position, to be read on.
 *
 * @returns undefined when it is gone, or cannot be read
 */
export async function findShipped(
  path: string,
  position: ReaderPosition,
  options: LineReaderOptions,
  stop: AbortSignal,
): Promise<LogFile | undefined> {
  if (position.offset === 0) return undefined; // any file begins with nothing
  for (const candidate of (await rotated(path)).reverse()) {
    if (candidate.stats.size < position.offset || stop.aborted) continue;
    const file = await openAt(candidate.path, position, options, stop);
    if (file) return file;
  }
  return undefined;
}

async function openAt(
  path: string,
  position: ReaderPosition,
  options: LineReaderOptions,
  stop: AbortSignal,
): Promise<LogFile | undefined> {
  let file: LogFile | undefined;
  let isThere = false;
  try {
    file = await LogFile.open(path, options);
    isThere = await file.resume(position, stop);
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  if (isThere) return file;
  await file?.close();
  return undefined;
}

/**
 * The generation that was begun after this one was written to its end: an earlier one than the file at the path when
 * the log was rotated more than once meanwhile. A new file in which nothing is written yet is none: whoever writes may
 * still be writing to the one before.
 *
 * @returns undefined when there is none yet
 */
export async function findSuccessor(path: string, file: LogFile): Promise<Generation | undefined> {
  const latest = await statIfThere(path);
  if (latest === undefined || file.isAt(latest)) return undefined;
  const between = (await rotated(path)).find(({ stats }) => file.wasBegunBefore(stats) && stats.size > 0);
  return between ?? (latest.size > 0 ? { path, stats: latest } : undefined);
}

/**
 * @returns undefined when another file has the path by now; then the next look finds this one under its new name
 * @throws what `open` throws when the file is there
 */
export async function openGeneration(
  { path, stats }: Generation,
  options: LineReaderOptions,
): Promise<LogFile | undefined> {
  const file = await openIfThere(path, options);
  if (file?.isAt(stats)) return file;
  await file?.close();
  return undefined;
}

/** Oldest first. */
async function rotated(path: string): Promise<Generation[]> {
  const name = basename(path);
  const names = await readdir(dirname(path));
  const siblings = names.filter((other) => other.startsWith(name) && ROTATED.test(other.slice(name.length)));
  const found = await Promise.all(
    siblings.map(async (sibling) => {
      const siblingPath = join(dirname(path), sibling);
      return { path: siblingPath, stats: await statIfThere(siblingPath) };
    }),
  );
  return found
    .filter((entry): entry is Generation => entry.stats?.isFile() === true)
    .sort((left, right) => compareAges(left.stats, right.stats));
}

/** A file may be renamed or deleted at any moment between being looked at and being opened. */
async function openIfThere(path: string, options: LineReaderOptions): Promise<LogFile | undefined> {
  try {
    return await LogFile.open(path, options);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
