import { BatchSender, type BatchSenderOptions } from './batch-sender.ts';
import { ClientError, messageOf } from './client-error.ts';
import type { EventMaker } from './event-maker.ts';
import { MemorySpool } from './memory-spool.ts';
import { orAborted } from './or-aborted.ts';
import { SendLoop } from './send-loop.ts';
import type { RequestBounds, Spool } from './spool.ts';
import { SpoolFindings } from './spool-findings.ts';
import type { AnyTopics, Draft, TopicOf } from './topics.ts';
import type { Transport } from './transport.ts';

export interface PublisherOptions extends BatchSenderOptions {
  /** Events in one request, at most. Default 500. */
  readonly maxBatch?: number;
  /** Bytes of events in one request, at most; one that is larger goes alone. Default 1 MB. */
  readonly maxBytes?: number;
  /** How long an event waits for company. Default 20 ms. */
  readonly lingerMs?: number;
  /** Bytes of events that wait in memory, at most: beyond them `send` waits. Default 16 MB. */
  readonly bufferBytes?: number;
  /** Where events wait instead: `diskSpool` of `sekali/client/spool`. */
  readonly spool?: Spool;
  /** Told what the spool finds wrong while nobody waits for it: damage, a disk that fails, another process in its directory. */
  readonly onSpoolError?: (error: ClientError) => void;
}

export interface Leave {
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** Calls of `send` that may wait at once: a caller who does not wait for them must not fill the memory. */
const WAITING_MAX = 10_000;

/** `close` leaves what is in a spool when the server has answered nothing for so long: it is safe there. */
const STALL_MS = 5000;

/**
 * Collects events and sends them in batches, one after the other, so events whose `send` was waited for are stored in
 * the order in which they were sent. An event is *waiting* in the spool, *under way*, or answered; the spool is bounded, and `send`
 * resolves when the event has its place in it.
 *
 * Without a spool of its own a publisher has one in memory: only after `flush` is everything with the server that was sent before. With
 * one on disk, what `send` has resolved for is sent, if need be by the next process that opens it.
 */
export class Publisher<Topics extends object = AnyTopics> implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #maker: EventMaker;
  readonly #sender: BatchSender;
  readonly #spool: Spool;
  readonly #bounds: RequestBounds;
  readonly #loop: SendLoop;
  readonly #findings: SpoolFindings;
  readonly #abort = new AbortController();
  #waiting = 0;
  #answers = 0;
  #making = new Set<Promise<unknown>>();
  #isClosed = false;
  #held = heldUp();

  constructor(transport: Transport, maker: EventMaker, options: PublisherOptions) {
    const { maxBatch = 500, maxBytes = 1e6, lingerMs = 20, bufferBytes = 16e6 } = options;
    const { spool = new MemorySpool(bufferBytes) } = options;
    this.#transport = transport;
    this.#maker = maker;
    this.#spool = spool;
    this.#bounds = { eventsMax: maxBatch, bytesMax: maxBytes };
    this.#findings = new SpoolFindings(transport.log, options.onSpoolError);
    const { signal } = this.#abort;
    const onHeld = (error: ClientError) => this.#hold(error);
    this.#sender = new BatchSender(transport, options, signal, spool.isDurable ? onHeld : undefined);
    this.#loop = new SendLoop({
      transport,
      spool,
      bounds: this.#bounds,
      lingerMs,
      signal,
      sendPage: () => this.#sendPage(),
      onFailure: (error) => this.#hold(this.#tellFailure(error)),
    });
    this.#loop.start();
  }

  /**
   * Hands an event over. To wait for it before the next one is what holds a publisher back that is faster than its server.
   *
   * @returns its event_id
   * @throws ClientError `payload_invalid`, `option_invalid`; `publisher_closed`; `publisher_full` when 10,000 calls wait already; of
   *   a spool on disk `spool_full`, `spool_failed`, `spool_in_use`
   */
  async send<Topic extends TopicOf<Topics>>(topic: Topic, draft: Draft<Topics[Topic]>): Promise<string> {
    if (this.#isClosed) throw new ClientError('publisher_closed', 'the publisher is closed');
    if (this.#waiting >= WAITING_MAX) {
      throw new ClientError('publisher_full', `${WAITING_MAX} events wait for room: wait for send()`, {
        retryable: true,
      });
    }
    this.#waiting++;
    const taken = this.#take(topic, draft);
    this.#making.add(taken);
    try {
      return await taken;
    } finally {
      this.#waiting--;
      this.#making.delete(taken);
    }
  }

  async #take(topic: string, draft: Draft<unknown>): Promise<string> {
    const event = await this.#maker.make(topic, draft);
    await this.#spool.append(JSON.stringify(event), this.#abort.signal);
    this.#loop.start();
    return event.event_id;
  }

  /**
   * Resolves when every event that was sent before has been answered, and what an earlier process has left in the spool.
   *
   * @throws ClientError `events_not_taken` when some were not, since the last flush: `details` has the first 100 of them, with their
   *   errors; `spool_damaged`, whose `details` are all that was found since; `spool_failed`, `spool_in_use`
   * @throws RequestError with a spool on disk, when the server refuses requests whatever is in them, as with a wrong key: the events
   *   stay in the spool, and are tried again
   * @throws the signal's reason
   */
  async flush({ signal }: Leave = {}): Promise<void> {
    this.#loop.hurry = true;
    try {
      await orAborted(Promise.race([this.#drained(), this.#held.promise]), signal);
    } finally {
      this.#loop.hurry = false;
    }
    if (!this.#spool.isEmpty) this.#abort.signal.throwIfAborted();
    this.#throwFindings();
  }

  /**
   * Takes no more, and flushes. What is in a spool on disk stays there for the next publisher when the server has answered nothing for
   * 5 s, or when the signal says so; what is in memory is then given up, as failed.
   *
   * @throws what `flush` throws; not the signal's reason
   */
  async close({ signal }: Leave = {}): Promise<void> {
    this.#isClosed = true;
    const done = new AbortController();
    const leave = AbortSignal.any([done.signal, ...(signal ? [signal] : [])]);
    if (this.#spool.isDurable) void this.#watch(done);
    try {
      await this.flush({ signal: leave });
    } catch (error) {
      if (!leave.aborted && error !== this.#abort.signal.reason) throw error;
      await this.#leave();
    } finally {
      done.abort();
      if (this.#spool.isDurable) this.abort();
      await this.#loop.ended();
      await this.#spool.close();
    }
  }

  /** What waits in memory is given up at once, as failed; so are retries. What is in a spool on disk stays there. */
  abort(reason: unknown = new ClientError('publisher_closed', 'the publisher was aborted')): void {
    this.#isClosed = true;
    this.#abort.abort(reason);
    this.#loop.hurry = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #leave(): Promise<void> {
    this.abort();
    await this.#drained();
    if (!this.#spool.isEmpty) this.#transport.log.warn('sekali: events are left in the spool');
    this.#throwFindings();
  }

  /** Aborts when no answer has come for a while. */
  async #watch(done: AbortController): Promise<void> {
    for (let seen = -1; seen !== this.#answers && !done.signal.aborted; ) {
      seen = this.#answers;
      await this.#transport.pause(STALL_MS, done.signal);
    }
    done.abort();
  }

  async #drained(): Promise<void> {
    while (this.#making.size > 0) await Promise.allSettled(this.#making);
    this.#loop.start();
    await this.#loop.ended();
  }

  async #sendPage(): Promise<void> {
    const { texts, damages } = await this.#spool.read(this.#bounds);
    this.#findings.addDamages(damages);
    if (texts.length === 0) return;
    const refused = await this.#sender.send(texts);
    this.#answers++;
    await this.#spool.settle(refused);
  }

  /** A flush must not wait for what only a person can mend. */
  #hold(error: ClientError): void {
    this.#held.reject(error);
    this.#held = heldUp();
  }

  #tellFailure(thrown: unknown): ClientError {
    const error =
      thrown instanceof ClientError
        ? thrown
        : new ClientError('spool_failed', `the spool failed: ${messageOf(thrown)}`, {
            retryable: true,
            cause: thrown,
          });
    this.#findings.tell(error);
    return error;
  }

  #throwFindings(): void {
    const failures = this.#sender.takeFailures();
    this.#findings.throwDamages(failures);
    if (failures) throw failures;
  }
}

function heldUp(): PromiseWithResolvers<never> {
  const held = Promise.withResolvers<never>();
  // Nobody need wait for it.
  held.promise.catch(() => undefined);
  return held;
}
