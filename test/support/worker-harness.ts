import assert from 'node:assert/strict';
import type { LogMessage } from '../../src/consume/consume-messages.ts';
import { Worker } from '../../src/consume/worker.ts';
import type { WorkerParts, WorkerSettings, WorkerStore } from '../../src/consume/worker-settings.ts';
import { encodeEntry } from '../../src/queue/entry-codec.ts';
import { KeyHasher } from '../../src/store/dedup/key.ts';
import { EventPack } from '../../src/store/event-pack.ts';
import { packEvent } from '../../src/store/pack-event.ts';
import { hex, MemoryDatabase } from './memory-consuming-store.ts';
import { MemoryQueue, type TestTime } from './memory-queue.ts';

export const CLAIM_MS = 1000;

export const SETTINGS: WorkerSettings = {
  eventsMax: 100,
  bytesMax: 1024 * 1024,
  waitMs: 200,
  attemptsMax: 5,
  backoff: { firstMs: 100, maxMs: 1000 },
};

/** A queue, a database, and workers between them, in a time that passes when somebody waits for it. */
export class WorkerHarness {
  readonly time: TestTime & { nowMs(): number };
  readonly database = new MemoryDatabase();
  readonly queue: MemoryQueue;
  readonly logged: LogMessage[] = [];
  #nowMs = 0;

  constructor() {
    this.time = {
      nowMs: () => this.#nowMs,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        this.#nowMs += ms;
        await this.onSleep(ms);
        signal?.throwIfAborted();
      },
    };
    this.queue = new MemoryQueue(this.time, { claimMs: CLAIM_MS });
  }

  /** What happens while time passes. */
  onSleep: (ms: number) => void | Promise<void> = () => {};

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  worker(change: Partial<WorkerParts> = {}, settings: Partial<WorkerSettings> = {}): Worker {
    return new Worker(
      { ...SETTINGS, ...settings },
      {
        queue: this.queue.consumer(),
        openStore: async () => this.database.openStore(),
        sleep: (ms, signal) => this.time.sleep(ms, signal),
        log: (message) => this.logged.push(message),
        onState: () => {},
        ...change,
      },
    );
  }

  /** Adds an entry with events of these ids. @returns its id, in hex */
  enqueue(...ids: string[]): string {
    return hex(this.queue.add(entryOf(ids), ids.length));
  }

  /** An entry as a later version would make it. @returns its id, in hex */
  enqueueNewer(...ids: string[]): string {
    const body = entryOf(ids);
    body.writeUInt32LE(99, 4);
    return hex(this.queue.add(body, ids.length));
  }

  /** An entry that nobody can read. */
  enqueueBroken(): string {
    return hex(this.queue.add(Buffer.from('no entry'), 1));
  }
}

const HASHER = new KeyHasher(new Uint8Array(16).fill(1));
const CONTENT_SEED = { high: 3, low: 4 };

function entryOf(ids: readonly string[]): Buffer {
  const events = new EventPack();
  for (const event_id of ids) {
    const event = {
      topic: 'orders',
      event_id,
      timestamp: 0,
      source: 'shop',
      payload: '{}',
      sequence: undefined,
    };
    packEvent(events, event, HASHER, CONTENT_SEED);
  }
  return encodeEntry({ events, batches: [{ end: events.length, rejected: 0, wantFirstSeen: false }] });
}

/** Never aborted. */
export const NEVER = new AbortController().signal;

export async function rounds(worker: Worker, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await worker.runOnce(NEVER);
}

/** Works until nothing is left in the queue. */
export async function workOff(harness: WorkerHarness, worker: Worker): Promise<void> {
  for (let i = 0; harness.queue.size > 0; i++) {
    assert.ok(i < 10_000, 'the worker makes no progress');
    await worker.runOnce(NEVER);
  }
}

/** A store that does something else in place of `consume`. */
export function storeWith(harness: WorkerHarness, consume: (store: WorkerStore) => WorkerStore['consume']) {
  return async () => {
    const store = harness.database.openStore();
    return { ...store, consume: consume(store) };
  };
}
