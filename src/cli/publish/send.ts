import { wait } from '../../client/backoff.ts';
import type { PublishAnswer, Sekali } from '../../client/index.ts';
import type { Simulation } from './simulation.ts';

export interface SendOptions {
  /** Tries a request again while that can help: see client/sekali.ts. */
  readonly client: Sekali;
  readonly simulation: Simulation;
  readonly batchSize: number;
  /** Requests under way at one time. */
  readonly concurrency: number;
  /** Events per second; 0 is as fast as they are taken. */
  readonly rate: number;
  /** When aborted, no further request is made; those under way are finished. */
  readonly stop: AbortSignal;
  /** Told of each answer: how many events have one now. */
  readonly onAnswer?: (answered: number) => void;
}

/** What was sent, and what the answers said of it. */
export interface Sent {
  /** Events that went out, each time counted; of their retries, none is. */
  events: number;
  /** Different events that went out: those with the numbers 0 to `distinct` - 1. */
  distinct: number;
  /** Events whose request was refused, or given up: the server may have them or not. */
  unanswered: number;
  processed: number;
  duplicates: number;
  conflicts: number;
  rejected: number;
  /** Why the first rejected event was. */
  rejection: string | undefined;
  /** Why sending ended early, if it was not stopped. */
  failure: Error | undefined;
}

/** Sends the simulation's events in their order, until all are answered, it is stopped, or a request fails for good. */
export async function send(options: SendOptions): Promise<Sent> {
  const { client, simulation, concurrency, onAnswer } = options;
  const sent: Sent = {
    events: 0,
    distinct: 0,
    unanswered: 0,
    processed: 0,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
    rejection: undefined,
    failure: undefined,
  };
  let answered = 0;
  const failed = new AbortController();
  const stop = AbortSignal.any([options.stop, failed.signal]);
  const batches = pacedBatches({ ...options, stop });

  // All of them pull from one generator, which hands out the batches one after the other: so what has been sent is
  // always the beginning of the order, and `distinct` tells exactly which events that is.
  async function sendBatches(): Promise<void> {
    for await (const batch of batches) {
      sent.events += batch.length;
      sent.distinct = batch.reduce((most, number) => Math.max(most, number + 1), sent.distinct);
      const body = JSON.stringify(batch.map((number) => simulation.event(number)));
      try {
        book(sent, await client.publish(body, { ack: 'stored' }));
        answered += batch.length;
        onAnswer?.(answered);
      } catch (error) {
        sent.unanswered += batch.length;
        sent.failure ??= error instanceof Error ? error : new Error(String(error));
        failed.abort();
      }
    }
  }

  await Promise.all(Array.from({ length: concurrency }, sendBatches));
  return sent;
}

function book(sent: Sent, answer: PublishAnswer): void {
  sent.processed += answer.processed ?? 0;
  sent.duplicates += answer.duplicates ?? 0;
  sent.conflicts += answer.conflicts ?? 0;
  sent.rejected += answer.rejected;
  sent.rejection ??= answer.errors[0]?.detail;
}

/** The batches of the order, each when it is due. A server that falls behind is not made to catch up in a burst. */
async function* pacedBatches({
  simulation,
  batchSize,
  rate,
  stop,
}: Pick<SendOptions, 'simulation' | 'batchSize' | 'rate' | 'stop'>): AsyncGenerator<number[]> {
  let dueAt = performance.now();
  for (const batch of inBatches(simulation.order(), batchSize)) {
    const now = performance.now();
    if (dueAt > now) await wait(dueAt - now, stop).catch(() => {});
    if (stop.aborted) return;
    yield batch;
    if (rate > 0) dueAt = Math.max(dueAt, now) + (batch.length / rate) * 1000;
  }
}

function* inBatches(numbers: Iterable<number>, size: number): Generator<number[]> {
  let batch: number[] = [];
  for (const number of numbers) {
    batch.push(number);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
