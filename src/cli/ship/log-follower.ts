import { setTimeout as sleep } from 'node:timers/promises';
import { findShipped, findSuccessor, openGeneration } from './generations.ts';
import type { LineShipper, ShipParts } from './line-shipper.ts';
import type { LogFile } from './log-file.ts';
import { type Log, openLog, shipperOf, shipRest } from './shipped-log.ts';
import { isMissing, isRefused } from './unreadable.ts';

/**
 * Looks at a rotated file, each without anything new in it, after which it is taken to be at its end. Whoever writes
 * goes on in the old file until told of the new one, and several processes are not told at the same moment.
 */
const QUIET_LOOKS = 4;

/** …and at most so many looks, if somebody goes on in it for ever. */
const GRACE_LOOKS_MAX = 20;

interface Following {
  readonly file: LogFile;
  readonly shipper: LineShipper;
}

/**
 * Ships a log as it grows.
 *
 * States: `waiting` (there is no such file yet) → `following` the file at the path → (a new file with something in it has
 * the path) → `finishing` the old one, by its handle → (nothing came for a while) → `following` the new one.
 * A file that was truncated is begun again, after the copy that was made of it, if that is found, is shipped to its end.
 */
export class LogFollower {
  readonly #parts: ShipParts;
  readonly #log: Log;
  #following: Following | undefined;
  #looksSinceReplaced = 0;
  #quietLooks = 0;

  constructor(parts: ShipParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
  }

  /**
   * Follows until the run is to stop. A last line without its newline is then left to the next run.
   *
   * @param pollMs time between two looks at the file
   * @throws RequestError when the server refuses, or cannot be reached in time; what the first opening throws
   */
  async start(pollMs: number): Promise<void> {
    const { stop } = this.#parts;
    try {
      while (!stop.aborted) {
        await this.runOnce().catch((error: unknown) => this.#tolerate(error));
        await pause(pollMs, stop);
      }
      this.#tellUnfinished();
    } finally {
      await this.close();
    }
  }

  /** Ships all that is new, and goes a step further when the log was rotated. */
  async runOnce(): Promise<void> {
    if (this.#following === undefined) {
      await this.#openFirst();
      return;
    }
    const { file, shipper } = this.#following;
    const change = await file.look();
    if (change === 'rewritten') await this.#startOver(this.#following);
    else if (change === 'grown') await shipRest(this.#parts, file, shipper);
    await this.#turnToSuccessor(this.#following, change === 'same');
  }

  async close(): Promise<void> {
    await this.#following?.file.close();
  }

  /** A log that could be read once is worth another look: its rights are being set, its disk is away for a moment. */
  #tolerate(error: unknown): void {
    if (this.#following === undefined || !isRefused(error)) throw error;
    this.#parts.report.tellOnce(`${this.#log.path}: ${error.message}; trying again`);
  }

  #tellUnfinished(): void {
    if (this.#following === undefined) return;
    const { path, reader } = this.#following.file;
    if (reader.isWithinLine)
      this.#parts.report.tell(`${path}:${reader.lineNumber} has no newline yet: left to the next run`);
  }

  async #openFirst(): Promise<void> {
    const { report } = this.#parts;
    let file: LogFile;
    try {
      file = await openLog(this.#parts, this.#log);
    } catch (error) {
      if (!isMissing(error)) throw error;
      report.tellOnce(`${this.#log.path} is not there yet: waiting for it`);
      return;
    }
    await this.#follow(file);
  }

  async #follow(file: LogFile): Promise<void> {
    const shipper = shipperOf(this.#parts, this.#log, file);
    this.#following = { file, shipper };
    this.#looksSinceReplaced = 0;
    this.#quietLooks = 0;
    await shipRest(this.#parts, file, shipper);
  }

  /** The file was truncated (logrotate's copytruncate, or `> app.log`) and may have been written to since. */
  async #startOver({ file, shipper }: Following): Promise<void> {
    const { path, reading } = this.#log;
    const { report, stop } = this.#parts;
    const copy = await findShipped(path, file.reader.position, reading, stop);
    report.tell(
      `${file.path} was truncated: from its start${copy ? `, after the rest of ${copy.path}` : ''}`,
    );
    if (copy) await this.#finishCopy(copy);
    else await shipper.finish(file.written);
    if (stop.aborted) return;
    file.restart();
    await this.#follow(file);
  }

  /** What was written between the last look and the copying is only there. */
  async #finishCopy(copy: LogFile): Promise<void> {
    try {
      const shipper = shipperOf(this.#parts, this.#log, copy);
      await shipRest(this.#parts, copy, shipper);
      if (!this.#parts.stop.aborted) await shipper.finish(copy.written);
    } finally {
      await copy.close();
    }
  }

  async #turnToSuccessor({ file, shipper }: Following, isQuiet: boolean): Promise<void> {
    const next = await findSuccessor(this.#log.path, file);
    if (next === undefined || !this.#isAtItsEnd(isQuiet) || this.#parts.stop.aborted) return;
    const opened = await openGeneration(next, this.#log.reading);
    if (opened === undefined) return;
    await shipRest(this.#parts, file, shipper);
    await shipper.finish(file.written);
    await file.close();
    this.#parts.report.tell(`${this.#log.path} was rotated: going on in ${opened.path}`);
    await this.#follow(opened);
  }

  /** Whether enough was waited for a file that was replaced. */
  #isAtItsEnd(isQuiet: boolean): boolean {
    this.#looksSinceReplaced++;
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    return this.#quietLooks >= QUIET_LOOKS || this.#looksSinceReplaced >= GRACE_LOOKS_MAX;
  }
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {});
}
