import { addAbortSignal, type Readable } from 'node:stream';
import { findSuccessor, openGeneration } from './generations.ts';
import type { EventOptions } from './line-event.ts';
import { LineReader, type LineReaderOptions } from './line-reader.ts';
import { LineShipper, type ShipParts } from './line-shipper.ts';
import type { LogFile } from './log-file.ts';
import { type Log, openLog, shipperOf, shipRest } from './shipped-log.ts';

/** Ships a log to the end that it has now. Then nothing is left to resume: shipped again, it is shipped whole. */
export async function shipOnce(parts: ShipParts, log: Log): Promise<void> {
  let file: LogFile | undefined = await openLog(parts, log);
  while (file !== undefined) file = await shipGeneration(parts, log, file);
  if (!parts.stop.aborted) await log.checkpoint?.remove();
}

/** Ships a file to its end, and closes it. Returns the one that the log was rotated to since it was opened, if any. */
async function shipGeneration(parts: ShipParts, log: Log, file: LogFile): Promise<LogFile | undefined> {
  try {
    const shipper = shipperOf(parts, log, file);
    await shipRest(parts, file, shipper);
    if (parts.stop.aborted) {
      parts.report.fail(`${file.path}: stopped before line ${file.reader.lineNumber}`);
      return undefined;
    }
    await shipper.finish(file.written);
    const next = await findSuccessor(log.path, file);
    return next && (await openGeneration(next, log.reading));
  } finally {
    await file.close();
  }
}

export interface Pipe {
  /** For people. */
  readonly name: string;
  readonly stream: Readable;
  readonly events: EventOptions;
  readonly reading: LineReaderOptions;
}

/** Ships what comes through a pipe, as it comes. It cannot be read twice, so there is no checkpoint. */
export async function shipPipe(parts: ShipParts, { name, stream, events, reading }: Pipe): Promise<void> {
  const reader = new LineReader(reading);
  const shipper = new LineShipper(parts, { name, reader, events, checkpoint: undefined });
  for await (const chunk of untilStopped(stream, parts.stop)) {
    await shipper.take(chunk);
    await shipper.flush();
  }
  if (parts.stop.aborted) parts.report.fail(`${name}: stopped before line ${reader.lineNumber}`);
  else await shipper.finish();
}

async function* untilStopped(stream: Readable, stop: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* addAbortSignal(stop, stream) as AsyncIterable<Buffer>;
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
