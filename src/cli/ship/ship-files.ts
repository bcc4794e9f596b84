import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CheckpointFile, stateDir } from './checkpoint.ts';
import { type EventOptions, STDIN, sourceOf } from './line-event.ts';
import type { ShipParts } from './line-shipper.ts';
import { LogFollower } from './log-follower.ts';
import type { ShipSettings } from './settings.ts';
import { shipOnce, shipPipe } from './ship-once.ts';
import { isMissing, isUnreadable } from './unreadable.ts';

/** A run of the command: the files it was given, what it was told and what it works with. */
export interface ShipRun {
  readonly files: readonly string[];
  readonly settings: ShipSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly parts: ShipParts;
}

/**
 * Ships one file after the other, or follows all of them at the same time. One that cannot be read is reported and does
 * not keep the others from being shipped.
 *
 * @throws RequestError when the server refuses, or cannot be reached in time
 */
export async function shipFiles({ files, ...run }: ShipRun): Promise<void> {
  if (run.settings.follow) {
    await followFiles({ files, ...run });
    return;
  }
  for (const file of files) {
    if (run.parts.stop.aborted) run.parts.report.fail(`${file}: stopped before line 1`);
    else await shipFile(file, run);
  }
}

/** When the server refuses one, following ends for all. */
async function followFiles({ files, parts, ...run }: ShipRun): Promise<void> {
  const refused = new AbortController();
  const stop = AbortSignal.any([parts.stop, refused.signal]);
  const ends = await Promise.allSettled(
    files.map(async (file) => {
      try {
        await shipFile(file, { ...run, parts: { ...parts, stop } });
      } catch (error) {
        refused.abort();
        throw error;
      }
    }),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

async function shipFile(file: string, run: Omit<ShipRun, 'files'>): Promise<void> {
  const { report } = run.parts;
  report.counts.files++;
  try {
    await shipReadable(file, run);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    report.fail(`${file}: ${error.message}`);
  }
}

async function shipReadable(file: string, { settings, env, parts }: Omit<ShipRun, 'files'>): Promise<void> {
  const { topic, sourceField, idField, timeField, identity = '', lineBytesMax, follow, url } = settings;
  const source = settings.source ?? sourceOf(file);
  const events: EventOptions = { topic, source, sourceField, idField, timeField };
  const reading = { identity, lineBytesMax };
  if (file === STDIN) {
    await shipPipe(parts, { name: source, stream: process.stdin, events, reading });
    return;
  }
  const path = resolve(file);
  if (!(await isSeekable(path, follow))) {
    await shipPipe(parts, { name: file, stream: createReadStream(path), events, reading });
    return;
  }
  const checkpoint = settings.noCheckpoint
    ? undefined
    : new CheckpointFile(settings.state ?? stateDir(env), { url, topic, identity, follow, path });
  const log = { path, events, reading, checkpoint };
  if (follow) await new LogFollower(parts, log).start(settings.pollMs);
  else await shipOnce(parts, log);
}

/** A named pipe is read like standard input. A file that is followed need not be there yet. */
async function isSeekable(path: string, follow: boolean): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (follow && isMissing(error)) return true;
    throw error;
  }
}
