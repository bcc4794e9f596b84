import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../load/answer-parser.ts';
import { Connection } from '../load/connection.ts';
import { Latencies, type LatencySummary } from '../load/latencies.ts';

const TOPIC = 'probe';
const EVERY_MS = 20;
/** Between the answer to one look and the next look. It counts as latency, as does the look itself. */
const LOOK_PAUSE_MS = 4;
const MISSING_AFTER_MS = 30_000;

export interface ProbeResult {
  readonly probes: number;
  /** From the answer that said `queued`, and from when the event was due to be sent, until a reader had it. */
  readonly fromAnswerMs: LatencySummary;
  readonly fromSendMs: LatencySummary;
}

interface Probe {
  readonly dueMs: number;
  answeredMs?: number;
  readableMs?: number;
}

/**
 * Publishes single events at one instance, and looks at another one for them: how long it takes until a reader there has an
 * event that its publisher was told is queued. Events are due at fixed times, whether or not earlier ones have been answered.
 */
export class Prober {
  readonly #publishUrl: string;
  readonly #readUrl: string;
  readonly #probes: Probe[] = [];
  readonly #failed = Promise.withResolvers<never>();
  /** Publishing connections that wait for an answer are not among them. */
  readonly #free: Connection[] = [];
  readonly #all: Connection[] = [];
  #isSent = false;
  /** Whether all has been read, or anything went wrong. */
  #isOver = false;

  constructor(publishUrl: string, readUrl: string) {
    this.#publishUrl = publishUrl;
    this.#readUrl = readUrl;
    this.#failed.promise.catch(() => {}); // whoever runs it is told
  }

  /** Goes on until the signal is aborted and each event has been read. @throws when one is not there after 30 seconds */
  async run(signal: AbortSignal): Promise<ProbeResult> {
    try {
      await Promise.race([this.#failed.promise, Promise.all([this.#send(signal), this.#look()])]);
    } finally {
      this.#isOver = true;
      for (const connection of this.#all) connection.close();
    }
    return resultOf(this.#probes);
  }

  async #send(signal: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    const answers: Promise<void>[] = [];
    while (!signal.aborted && !this.#isOver) {
      const dueMs = startedMs + this.#probes.length * EVERY_MS;
      await sleep(Math.max(0, dueMs - performance.now()));
      // A timer may fire up to a millisecond early; nothing is read before it is due.
      answers.push(this.#publish(Math.min(dueMs, performance.now())));
    }
    await Promise.all(answers);
    this.#isSent = true;
  }

  async #publish(dueMs: number): Promise<void> {
    const probe: Probe = { dueMs };
    const number = this.#probes.push(probe) - 1;
    const connection = this.#free.pop() ?? (await this.#open(this.#publishUrl));
    const { status, body } = await connection.ask(publishRequest(this.#publishUrl, number));
    probe.answeredMs = performance.now();
    this.#free.push(connection);
    if (status !== 200 || (JSON.parse(body.toString()) as { queued: number }).queued !== 1) {
      this.#failed.reject(new Error(`a probe was answered ${status}: ${body.toString()}`));
    }
  }

  async #look(): Promise<void> {
    const connection = await this.#open(this.#readUrl);
    let seen = 0;
    for (let after = 0; !this.#isOver && (!this.#isSent || seen < this.#probes.length); ) {
      const page = readPage(await connection.ask(readRequest(this.#readUrl, after)));
      const nowMs = performance.now();
      for (const { event_id, position } of page.events) {
        const probe = this.#probes[Number(event_id)];
        if (probe === undefined || probe.readableMs !== undefined) {
          throw new Error(`event ${event_id} of the probes was read twice, or never sent`);
        }
        probe.readableMs = nowMs;
        after = position;
        seen++;
      }
      this.#complainOfMissing(nowMs);
      await sleep(LOOK_PAUSE_MS);
    }
  }

  #complainOfMissing(nowMs: number): void {
    const missing = this.#probes.find(({ readableMs }) => readableMs === undefined);
    if (missing !== undefined && nowMs - missing.dueMs > MISSING_AFTER_MS) {
      throw new Error(
        `probe ${this.#probes.indexOf(missing)} was not to be read after ${MISSING_AFTER_MS} ms`,
      );
    }
  }

  async #open(url: string): Promise<Connection> {
    const connection = await Connection.open(url, this.#failed.reject);
    this.#all.push(connection);
    return connection;
  }
}

function resultOf(probes: readonly Probe[]): ProbeResult {
  const fromAnswer = new Latencies();
  const fromSend = new Latencies();
  for (const { dueMs, answeredMs = Number.NaN, readableMs = Number.NaN } of probes) {
    fromSend.add(readableMs - dueMs);
    fromAnswer.add(Math.max(0, readableMs - answeredMs)); // it may be there before its publisher is told
  }
  return { probes: probes.length, fromAnswerMs: fromAnswer.summary(), fromSendMs: fromSend.summary() };
}

function publishRequest(url: string, number: number): Buffer {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({
    topic: TOPIC,
    event_id: String(number),
    timestamp,
    source: 'bench',
    payload: {},
  });
  return Buffer.from(
    [
      'POST /publish?ack=queued HTTP/1.1',
      `Host: ${new URL(url).host}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `\r\n${body}`,
    ].join('\r\n'),
  );
}

function readRequest(url: string, after: number): Buffer {
  const path = `/events?topic=${TOPIC}&after=${after}&limit=1000`;
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`);
}

function readPage({ status, body }: Answer): { events: { event_id: string; position: number }[] } {
  if (status !== 200) throw new Error(`${status}: ${body.toString()}`);
  return JSON.parse(body.toString()) as ReturnType<typeof readPage>;
}
