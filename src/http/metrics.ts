import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Parts } from './parts.ts';
import { readStoreAndQueue, type Totals } from './totals.ts';

/** What `GET /metrics` tells, in the text format of Prometheus 0.0.4. */
export class Metrics {
  readonly #parts: Parts;
  readonly #process = processMetrics();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async print(): Promise<{ contentType: string; text: string }> {
    const own = await this.#own();
    return { contentType: own.contentType, text: `${await own.metrics()}\n${await this.#process.metrics()}` };
  }

  /**
   * The numbers live in store and queue, not here, so they are read anew for each answer. What cannot be read is left out: a 0 in
   * its place would be taken for a counter that began again.
   */
  async #own(): Promise<Registry> {
    const { queue, backlog, workers, reader } = this.#parts;
    const registry = new Registry();
    const registers = [registry];
    const count = (name: string, help: string, value: number) =>
      new Counter({ name: `sekali_${name}`, help, registers }).inc(value);
    const gauge = (name: string, help: string, value: number) =>
      new Gauge({ name: `sekali_${name}`, help, registers }).set(value);

    const totals = await readStoreAndQueue(this.#parts).catch(() => undefined);
    if (totals !== undefined) {
      for (const [name, help, read] of COUNTERS) count(`${name}_total`, help, read(totals));
      gauge('queue_events', 'Events that are accepted and not stored yet.', totals.queued);
      gauge('queue_bytes', 'Bytes that wait in the queue server.', totals.backlog?.bytes ?? 0);
    }
    const stall = await reader.stall?.().catch(() => undefined);
    gauge(
      'readers_held_back_seconds',
      'For how long an open transaction has held readers back.',
      stall?.seconds ?? 0,
    );
    gauge('store_up', 'Whether the store takes events.', queue.downReason('stored') === undefined ? 1 : 0);
    if (backlog !== undefined) {
      gauge('queue_up', 'Whether the queue takes events.', queue.downReason('queued') === undefined ? 1 : 0);
      gauge('workers', 'Workers of this process that are at work.', workers?.count ?? 0);
    }
    return registry;
  }
}

let ofProcess: Registry | undefined;

/** One for all servers of a process: each of them watches the event loop and the garbage collector, and is never let go of. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

const COUNTERS: readonly [name: string, help: string, read: (totals: Totals) => number][] = [
  ['events_received', 'Valid events, each time they came.', ({ received }) => received],
  ['events_stored', 'Events stored.', ({ unique_processed }) => unique_processed],
  [
    'events_duplicates',
    'Events whose key was stored before, conflicts included.',
    ({ duplicate_dropped }) => duplicate_dropped,
  ],
  ['events_conflicts', 'Those of them with other content.', ({ conflicts }) => conflicts],
  ['events_rejected', 'Events that were refused; no part of those received.', ({ rejected }) => rejected],
  ['events_dead_lettered', 'Events accepted, and given up.', ({ dead_lettered }) => dead_lettered],
];
