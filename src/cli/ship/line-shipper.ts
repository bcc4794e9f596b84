import type { Clock } from '../../clock.ts';
import { type Instant, instantOfMs } from '../../instant.ts';
import { Batch, type BatchLimits } from './batch.ts';
import type { CheckpointFile } from './checkpoint.ts';
import { type EventOptions, eventOfLine } from './line-event.ts';
import type { Line, LineReader, LongLine } from './line-reader.ts';
import type { Sender } from './sender.ts';
import type { ShipReport } from './ship-report.ts';
import { refuseCompressed } from './unreadable.ts';

/** What all files of a run share. */
export interface ShipParts {
  readonly sender: Sender;
  readonly report: ShipReport;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  /** Aborted when no more is to be read. What was read is still shipped. */
  readonly stop: AbortSignal;
}

export interface ShippedContent {
  /** For people. */
  readonly name: string;
  readonly reader: LineReader;
  readonly events: EventOptions;
  readonly checkpoint: CheckpointFile | undefined;
}

/**
 * Ships one content, from bytes to stored events: lines become events, events batches, and batches go to the server one
 * after the other, so that positions there are in the order of the lines. The checkpoint follows each answer.
 */
export class LineShipper {
  readonly #parts: ShipParts;
  readonly #content: ShippedContent;
  readonly #batch: Batch;
  #lastEventId: string | undefined;

  constructor(parts: ShipParts, content: ShippedContent) {
    this.#parts = parts;
    this.#content = content;
    this.#batch = new Batch(parts.limits);
  }

  /**
   * Takes the next bytes and ships the lines that end in them; fewer than fill a batch wait for {@link flush}. Leaves the
   * rest of the chunk unread when the run is to stop.
   *
   * @param written when the file was written last; just now, if nobody knows
   */
  async take(chunk: Buffer, written?: Instant): Promise<void> {
    const { reader } = this.#content;
    if (reader.isAtStart) refuseCompressed(chunk);
    for (const line of reader.push(chunk)) {
      this.#add(line, written);
      if (!this.#batch.isFull) continue;
      await this.flush();
      if (this.#parts.stop.aborted) return;
    }
  }

  /** Ships what waits. */
  async flush(): Promise<void> {
    const { reader, checkpoint } = this.#content;
    const entries = this.#batch.take();
    if (entries.length === 0) return;
    const { position } = reader;
    this.#lastEventId = (await this.#parts.sender.send(entries)) ?? this.#lastEventId;
    if (checkpoint === undefined || this.#lastEventId === undefined || position.offset === 0) return;
    try {
      await checkpoint.write({ ...position, eventId: this.#lastEventId });
    } catch (error) {
      this.#parts.report.tellOnce(`no checkpoint could be written: ${(error as Error).message}`);
    }
  }

  /** Ships all that is left: the file ends here, with or without a newline. */
  async finish(written?: Instant): Promise<void> {
    const last = this.#content.reader.end();
    if (last) this.#add(last, written);
    await this.flush();
  }

  #add(line: Line | LongLine, written: Instant | undefined): void {
    const { report, clock } = this.#parts;
    const { name: file, events } = this.#content;
    const place = { file, line: line.number };
    if (!('bytes' in line)) {
      report.counts.lines++;
      report.rejected(place, `the line has ${line.length} bytes, more than --line-bytes-max`);
      return;
    }
    const now = instantOfMs(clock.nowMs());
    const event = eventOfLine(line, events, {
      now,
      written: written !== undefined && written < now ? written : now,
    });
    if (event === undefined) {
      report.counts.blank++;
      return;
    }
    report.counts.lines++;
    report.lacking(event.lacks);
    this.#batch.add({ ...place, ...event });
  }
}
