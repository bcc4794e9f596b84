import type { Writer } from './writer.ts';

/** The channel on which readers are told that something was stored. */
export const STORED_CHANNEL = 'sekali_stored';

/** Time between notifications, at least. */
const EVERY_MS = 20;

/**
 * Tells readers of all instances that something was stored: in a transaction of its own after the group's, and not for each.
 * PostgreSQL holds one lock over all databases while a transaction with a notification commits, so a group that brought its own
 * would have every other instance's wait for its fsync. A transaction that only notifies syncs nothing.
 */
export class Notifier {
  readonly #writer: Writer;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  stored(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#lastMs + EVERY_MS - performance.now();
    if (waitMs <= 0) this.#notify();
    else this.#timer = setTimeout(() => this.#notify(), waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #notify(): void {
    this.#timer = undefined;
    this.#lastMs = performance.now();
    // Readers poll as well: one that is lost costs them a second, and the group that comes next finds out why.
    this.#writer.run((client) => client.query(`NOTIFY ${STORED_CHANNEL}`)).catch(() => {});
  }
}
