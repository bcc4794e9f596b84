import type { QueueEvent } from './options.ts';
import type { PersistenceFacts } from './persistence.ts';
import type { Seen } from './read-totals.ts';

/** Notices when the server has lost what it had acknowledged, and says so once, with what can be known of it. */
export class MemoryWatch {
  readonly #onEvent: (event: QueueEvent) => void;
  #seen: Seen;
  #runId: string | undefined;

  constructor(onEvent: (event: QueueEvent) => void) {
    this.#onEvent = onEvent;
  }

  get seen(): Seen {
    return this.#seen;
  }

  /** Replies may be handled out of their order: within an epoch the highest counts. */
  saw({ epoch, enqueued }: NonNullable<Seen>): void {
    const before = this.#seen;
    if (before === undefined) {
      this.#seen = { epoch, enqueued };
    } else if (before.epoch === epoch) {
      this.#seen = { epoch, enqueued: Math.max(enqueued, before.enqueued) };
    } else {
      this.#seen = { epoch, enqueued };
      this.#onEvent(lost(before, epoch));
    }
  }

  /** After each connect, with the totals of then. */
  met({ runId }: PersistenceFacts, durable: boolean, totals: NonNullable<Seen>): void {
    const restarted = this.#runId !== undefined && this.#runId !== runId;
    const sameEpoch = this.#seen?.epoch === totals.epoch;
    this.#runId = runId;
    this.saw(totals);
    if (restarted && sameEpoch && !durable) this.#onEvent(inDoubt(totals));
  }
}

function lost({ epoch, enqueued }: NonNullable<Seen>, newEpoch: string): QueueEvent {
  return {
    kind: 'memory_lost',
    level: 'error',
    detail:
      `Redis has lost its memory: acknowledged events are gone, unless they had been stored before. In its epoch ${epoch} at ` +
      `least ${enqueued} events had been enqueued; of those, all that were not stored yet may be lost. The new epoch is ` +
      `${newEpoch}. Publishers that still have their events can send them again: what is stored stays stored once.`,
  };
}

function inDoubt({ epoch, enqueued }: NonNullable<Seen>): QueueEvent {
  return {
    kind: 'memory_in_doubt',
    level: 'warn',
    detail:
      `Redis was restarted, or another server took over, and it does not wait for its disk: events that other instances had ` +
      `enqueued just before may be lost. All that this instance knows of is there: ${enqueued} events in epoch ${epoch}.`,
  };
}
