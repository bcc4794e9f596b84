import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { PublishAnswer, WireEvent } from '../../../src/client/index.ts';
import { type Answer, send } from '../http.ts';
import { makeEvent } from '../make-events.ts';
import { until } from '../until.ts';
import type { Instance } from './instance.ts';
import { type Ack, Known } from './known.ts';

export interface LoadOptions {
  publishers?: number;
  /** Between two requests of a publisher: so that two processors have time for a cluster, its servers and its readers. */
  pauseMs?: number;
  ack?: Ack | 'mixed';
  /** Whether a request may end without an answer, as it does when an instance is killed. */
  mayHangUp?: boolean;
}

const BATCH_EVENTS = 20;
/** Of a batch. Another of these is about as often a key that another publisher has just sent. */
const DUPLICATES = 5;
const CONFLICTS = 1;
/** Those of whom there are duplicates and conflicts. */
const RECENT_MAX = 2000;

/** Publishers that send batches, old events and altered ones among them, each batch to one instance after the other until it is acknowledged. */
export class Load {
  readonly known = new Known();
  readonly #instances: readonly Instance[];
  readonly #options: Required<LoadOptions>;
  readonly #recent: WireEvent[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #publishers: Promise<void>[];
  #paused: Promise<void> | undefined;
  #stopping = false;
  #isAbandoned = false;
  #made = 0;

  constructor(
    instances: readonly Instance[],
    { publishers = 4, pauseMs = 15, ack = 'mixed', mayHangUp = false }: LoadOptions = {},
  ) {
    this.#instances = instances;
    this.#options = { publishers, pauseMs, ack, mayHangUp };
    this.#publishers = Array.from({ length: publishers }, (_, publisher) => this.#run(publisher));
  }

  /** Waits until this many more batches are acknowledged. */
  async more(batches = 10): Promise<void> {
    const goal = this.known.acknowledgedBatches + batches;
    await until(`${batches} more batches`, async () => this.known.acknowledgedBatches >= goal);
  }

  /** Publishes nothing for the time of a call. */
  async pauseWhile(call: () => Promise<unknown>): Promise<void> {
    const paused = Promise.withResolvers<void>();
    this.#paused = paused.promise;
    await call();
    paused.resolve();
  }

  /** Resolves when all that was sent is acknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#publishers);
    this.abandon();
  }

  /** Ends without waiting, whatever is acknowledged. */
  abandon(): void {
    this.#stopping = true;
    this.#isAbandoned = true;
    this.#agent.destroy();
  }

  async #run(publisher: number): Promise<void> {
    for (let batch = 0; !this.#stopping; batch++) {
      const events = this.#makeBatch();
      const ack = this.#options.ack === 'mixed' ? (batch % 2 === 0 ? 'queued' : 'stored') : this.#options.ack;
      await this.#publish(events, ack, publisher + batch);
      await Promise.all([pause(this.#options.pauseMs), this.#paused]);
    }
  }

  async #publish(events: readonly WireEvent[], ack: Ack, first: number): Promise<void> {
    const body = JSON.stringify(events);
    const path = ack === 'queued' ? '/publish' : `/publish?ack=stored&results=all&atomic=${first % 3 === 0}`;
    for (let tries = 0; !this.#isAbandoned; tries++) {
      const { url } = this.#instances[(first + tries) % this.#instances.length]!;
      this.known.send(events);
      const answer = await this.#send(url, path, body);
      if (answer?.status === 200) {
        this.known.acknowledge(events, ack, answer.json<PublishAnswer & Record<string, unknown>>());
        return;
      }
      this.#bookFailure(answer);
      // A tenth of what it is told, for the sake of the load on what is still well.
      await pause(100);
    }
  }

  async #send(url: string, path: string, body: string): Promise<Answer | undefined> {
    const headers = { 'content-type': 'application/json' };
    try {
      return await send(url, path, { method: 'POST', headers, body, agent: this.#agent });
    } catch (error) {
      this.known.hold(this.#options.mayHangUp, `no answer of ${url}: ${String(error)}`);
      return undefined;
    }
  }

  #bookFailure(answer: Answer | undefined): void {
    if (answer === undefined) {
      this.known.hangUps++;
      return;
    }
    this.known.refusals++;
    const { status, headers, text } = answer;
    this.known.hold(status === 503 || status === 429, `an answer ${status}: ${text}`);
    this.known.hold(headers['retry-after'] !== undefined, `${status} without Retry-After: ${text}`);
  }

  #makeBatch(): WireEvent[] {
    const fresh = Array.from({ length: BATCH_EVENTS - DUPLICATES - CONFLICTS }, () => this.#makeFresh());
    this.#recent.push(...fresh);
    this.#recent.splice(0, this.#recent.length - RECENT_MAX);
    const again = Array.from({ length: DUPLICATES }, () => this.#anyRecent());
    const altered = Array.from({ length: CONFLICTS }, () => {
      const event = this.#anyRecent();
      return { ...event, payload: { ...event.payload, altered: true } };
    });
    return [...fresh, ...again, ...altered];
  }

  #makeFresh(): WireEvent {
    const number = ++this.#made;
    return makeEvent({ topic: `topic-${number % 4}`, event_id: `event-${number}`, payload: { number } });
  }

  #anyRecent(): WireEvent {
    return this.#recent[Math.floor(Math.random() * this.#recent.length)]!;
  }
}
