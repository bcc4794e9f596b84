import type { CheckpointFile } from './checkpoint.ts';
import { findShipped } from './generations.ts';
import type { EventOptions } from './line-event.ts';
import type { LineReaderOptions } from './line-reader.ts';
import { LineShipper, type ShipParts } from './line-shipper.ts';
import { LogFile } from './log-file.ts';

/** A log to ship, as the operator named it. */
export interface Log {
  readonly path: string;
  readonly events: EventOptions;
  readonly reading: LineReaderOptions;
  readonly checkpoint: CheckpointFile | undefined;
}

/**
 * Opens a log where shipping is to go on. That is the checkpoint's place, if the server still has what was shipped up to
 * there: in the file itself, or in the one that it was rotated to meanwhile. Else it is the start.
 *
 * @throws what `open` throws; RequestError when the server cannot be asked
 */
export async function openLog(parts: ShipParts, log: Log): Promise<LogFile> {
  const file = await LogFile.open(log.path, log.reading);
  try {
    const shipped = await findCheckpoint(parts, log, file);
    if (shipped === undefined || shipped === file) return file;
    await file.close();
    return shipped;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Returns the file that was shipped up to the checkpoint, at that position. */
async function findCheckpoint(
  { sender, report, stop }: ShipParts,
  { path, reading, checkpoint }: Log,
  file: LogFile,
): Promise<LogFile | undefined> {
  const last = await checkpoint?.read();
  if (last === undefined) return undefined;
  const has = await sender.has(last.eventId);
  if (has !== true) {
    const reason = has === false ? 'does not have' : 'does not say (to this key) whether it has';
    report.tell(`${path}: from its start, for the server ${reason} what was shipped before`);
    return undefined;
  }
  const found = (await file.resume(last, stop)) ? file : await findShipped(path, last, reading, stop);
  if (found === undefined) report.tell(`${path}: from its start, for it is not what was shipped before`);
  else if (found !== file) report.tell(`${path} was rotated: going on in ${found.path}`);
  report.counts.skipped += (found?.reader.lineNumber ?? 1) - 1;
  return found;
}

export function shipperOf(parts: ShipParts, { events, checkpoint }: Log, file: LogFile): LineShipper {
  return new LineShipper(parts, { name: file.path, reader: file.reader, events, checkpoint });
}

/** Ships what the file holds now, but for a last line without its newline. */
export async function shipRest({ stop }: ShipParts, file: LogFile, shipper: LineShipper): Promise<void> {
  while (!stop.aborted) {
    const chunk = await file.read();
    if (chunk === undefined) break;
    await shipper.take(chunk, file.written);
  }
  await shipper.flush();
}
