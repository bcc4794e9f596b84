import { randomBytes, randomUUID } from 'node:crypto';
import { SekaliError } from '../../src/errors.ts';
import { encodeEntry } from '../../src/queue/entry-codec.ts';
import type { Entry, Queue, QueueConsumer, QueueState } from '../../src/queue/queue.ts';
import type { CommitGroup } from '../../src/store/store.ts';

/** Where a fake has the time from: a clock of the test's own, that nobody waits for. */
export interface TestTime {
  nowMs(): number;
  /** Rejects when the signal is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

interface Kept {
  readonly entry: Omit<Entry, 'attempts'>;
  attempts: number;
  /** When it was handed out last. */
  heldAtMs: number | undefined;
}

/** A queue server that is all in memory, and keeps what queue/queue.ts promises. Its ends share it. */
export class MemoryQueue implements Queue {
  readonly #time: TestTime;
  readonly #claimMs: number;
  #bytesMax = 64 * 1024 * 1024;
  #entries = new Map<string, Kept>();
  #epoch = randomUUID();
  #enqueued = 0;
  #place = 0;
  /** Nobody can reach it. */
  isAway = false;

  constructor(time: TestTime, { claimMs }: { claimMs: number }) {
    this.#time = time;
    this.#claimMs = claimMs;
  }

  async enqueue(group: CommitGroup): Promise<void> {
    this.add(encodeEntry(group), group.events.length);
  }

  /** Adds an entry with any body. @returns its id */
  add(body: Buffer, events: number): Uint8Array {
    this.#reach();
    if (this.bytes + body.length > this.#bytesMax) throw new SekaliError('overloaded', 'The queue is full.');
    const id = Uint8Array.from(randomBytes(16));
    const place = String(++this.#place);
    const entry = { place, id, epoch: this.#epoch, events, body };
    this.#entries.set(place, { entry, attempts: 0, heldAtMs: undefined });
    this.#enqueued += events;
    return id;
  }

  /** Another epoch begins. What is there stays, as if an older memory had been read in. */
  beginEpoch(): string {
    this.#enqueued = 0;
    this.#epoch = randomUUID();
    return this.#epoch;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return [...this.#entries.values()].reduce((sum, { entry }) => sum + entry.body.length, 0);
  }

  async state(): Promise<QueueState> {
    this.#reach();
    return {
      type: 'memory',
      epoch: this.#epoch,
      enqueued: this.#enqueued,
      entries: this.size,
      bytes: this.bytes,
      bytesMax: this.#bytesMax,
      promise: 'Nothing survives the end of the test.',
      durable: false,
    };
  }

  async close(): Promise<void> {}

  /** This queue, with another bound. */
  limitedTo(bytesMax: number): this {
    this.#bytesMax = bytesMax;
    return this;
  }

  /** The server has lost what it had. */
  loseMemory(): void {
    this.#entries.clear();
    this.beginEpoch();
  }

  /** @param claimMs if this one is to wait longer, or less long, before it takes entries over */
  consumer(claimMs = this.#claimMs): QueueConsumer {
    return {
      claim: async ({ entriesMax, waitMs, signal }) => {
        const endAtMs = this.#time.nowMs() + waitMs;
        while (!signal.aborted) {
          const entries = this.#handOut(entriesMax, claimMs);
          const leftMs = endAtMs - this.#time.nowMs();
          if (entries.length > 0 || leftMs <= 0) return entries;
          await this.#time.sleep(Math.min(WAIT_STEP_MS, leftMs), signal).catch(() => undefined);
        }
        return [];
      },
      ack: async (entries) => {
        this.#reach();
        for (const { place } of entries) this.#entries.delete(place);
      },
      close: async () => {},
    };
  }

  #handOut(entriesMax: number, claimMs: number): Entry[] {
    this.#reach();
    const kept = [...this.#entries.values()];
    const nowMs = this.#time.nowMs();
    const stale = kept.filter(({ heldAtMs }) => heldAtMs !== undefined && nowMs - heldAtMs > claimMs);
    const fresh = kept.filter(({ heldAtMs }) => heldAtMs === undefined);
    return (stale.length > 0 ? stale : fresh).slice(0, entriesMax).map((each) => {
      each.attempts++;
      each.heldAtMs = nowMs;
      return { ...each.entry, attempts: each.attempts };
    });
  }

  #reach(): void {
    if (this.isAway) throw new SekaliError('queue_unavailable', 'The queue is away.');
  }
}

const WAIT_STEP_MS = 100;
