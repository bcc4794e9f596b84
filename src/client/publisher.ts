import { BatchSender, type BatchSenderOptions, type Failure } from './batch-sender.ts';
import { ClientError, messageOf } from './client-error.ts';
import type { EventMaker } from './event-maker.ts';
import { MemorySpool } from './memory-spool.ts';
import { SendLoop } from './send-loop.ts';
import type { RequestBounds, Spool } from './spool.ts';
import { SpoolFindings } from './spool-findings.ts';
import { Tally } from './tally.ts';
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
  /** Where events wait instead: `diskSpool` of `sekali/client/spool`. One object, one publisher: the next one needs another. */
  readonly spool?: Spool;
  /**
   * Told what the spool finds wrong while nobody waits for it: damage, a disk that fails, another process in its directory; and
   * `publisher_closed` when the end of the publisher leaves events in it.
   */
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

/** Two that read and settle the pages of one would settle what nobody has answered. */
const claimed = new WeakSet<Spool>();

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
  readonly #tally: Tally;
  #answers = 0;
  #isClosed = false;
  /** What was answered and is not settled yet: while the spool fails it must not be sent again. */
  #answered: { readonly texts: readonly string[]; readonly refused: readonly Failure[] } | undefined;
  #ending: Promise<void> | undefined;
  #left: ClientError | undefined;

  constructor(transport: Transport, maker: EventMaker, options: PublisherOptions) {
    const { maxBatch = 500, maxBytes = 1e6, lingerMs = 20, bufferBytes = 16e6 } = options;
    const { spool = new MemorySpool(bufferBytes) } = options;
    if (claimed.has(spool)) {
      throw new ClientError(
        'option_invalid',
        'the spool has had a publisher: make another for the same directory',
      );
    }
    claimed.add(spool);
    this.#transport = transport;
    this.#maker = maker;
    this.#spool = spool;
    this.#bounds = { eventsMax: maxBatch, bytesMax: maxBytes };
    this.#findings = new SpoolFindings(transport.log, options.onSpoolError);
    this.#tally = new Tally(spool.isDurable);
    const { signal } = this.#abort;
    // A flush must not wait for what only a person can mend.
    const onHeld = (error: ClientError) => this.#tally.fail(error);
    this.#sender = new BatchSender(transport, options, signal, spool.isDurable ? onHeld : undefined);
    this.#loop = new SendLoop({
      transport,
      spool,
      bounds: this.#bounds,
      lingerMs,
      signal,
      sendPage: () => this.#sendPage(),
      onFailure: (error) => this.#tally.fail(this.#tellFailure(error)),
    });
    this.#loop.start();
  }

  /**
   * Hands an event over. To wait for it before the next one is what holds a publisher back that is faster than its server.
   *
   * @returns its event_id
   * @throws ClientError `payload_invalid`, `option_invalid`; `publisher_closed`; `publisher_full` when 10,000 calls wait already; of
   *   a spool on disk `spool_full`, `spool_failed`, `spool_in_use`, with the `event_id` in its `details`
   */
  async send<Topic extends TopicOf<Topics>>(topic: Topic, draft: Draft<Topics[Topic]>): Promise<string> {
    if (this.#isClosed) throw new ClientError('publisher_closed', 'the publisher is closed');
    if (this.#tally.openCount >= WAITING_MAX) {
      throw new ClientError('publisher_full', `${WAITING_MAX} events wait for room: wait for send()`, {
        retryable: true,
      });
    }
    return await this.#tally.call(this.#take(topic, draft));
  }

  async #take(topic: string, draft: Draft<unknown>): Promise<string> {
    const event = await this.#maker.make(topic, draft);
    const text = JSON.stringify(event);
    const append = () => this.#spool.append(text, this.#abort.signal);
    // One with a time of its own may come again, just as it was, from a caller who has started again.
    await this.#tally.take(text, draft.timestamp === undefined, append).catch((error: unknown) => {
      throw ofEvent(error, event.event_id);
    });
    this.#loop.start();
    return event.event_id;
  }

  /**
   * Resolves when every event that was sent before has been answered, and what an earlier process has left in the spool. It does not
   * wait for what is sent meanwhile.
   *
   * @throws ClientError `events_not_taken` when some were not, since the last flush: `details` has the first 100 of them, with their
   *   errors; `spool_damaged`, whose `details` are all that was found since; `spool_failed`, `spool_in_use`; `publisher_closed` when
   *   the end of the publisher has left some in the spool
   * @throws RequestError with a spool on disk, when the server refuses requests whatever is in them, as with a wrong key: the events
   *   stay in the spool, and are tried again
   * @throws the signal's reason
   */
  async flush({ signal }: Leave = {}): Promise<void> {
    this.#loop.hurry();
    try {
      await this.#tally.reached(signal);
    } finally {
      this.#loop.relax();
    }
    this.#throwFindings();
  }

  /**
   * Takes no more, and flushes. What is in a spool on disk stays there for the next publisher when the server has answered nothing for
   * 5 s, or when the signal says so, and `onSpoolError` is told; what is in memory is then given up, as failed.
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
      if (error !== leave.reason && error !== this.#left) throw error;
      await this.#leave();
    } finally {
      done.abort();
      if (this.#spool.isDurable) this.abort();
      this.#ending ??= this.#end();
      await this.#ending;
    }
  }

  /**
   * What waits in memory is given up at once, as failed; so are retries. What is in a spool on disk stays there, for another publisher as
   * soon as nothing is under way.
   */
  abort(reason: unknown = new ClientError('publisher_closed', 'the publisher was aborted')): void {
    this.#isClosed = true;
    this.#abort.abort(reason);
    this.#loop.hurry();
    if (!this.#spool.isDurable || this.#ending) return;
    this.#ending = this.#end();
    this.#ending.catch((error: unknown) => this.#tellFailure(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #leave(): Promise<void> {
    this.abort();
    await (this.#ending ?? this.#tally.reached());
    this.#throwFindings();
  }

  /** Lets go of the spool. */
  async #end(): Promise<void> {
    await this.#tally.idle();
    await this.#loop.ended();
    // Once it is closed it cannot tell.
    if (!this.#spool.isEmpty) {
      const message = 'the publisher was closed before all in its spool was answered: the rest is left there';
      this.#left = new ClientError('publisher_closed', message, { cause: this.#abort.signal.reason });
      this.#findings.tell(this.#left);
    }
    this.#tally.end(this.#left);
    await this.#spool.close();
  }

  /** Aborts when no answer has come for a while. */
  async #watch(done: AbortController): Promise<void> {
    for (let seen = -1; seen !== this.#answers && !done.signal.aborted; ) {
      seen = this.#answers;
      await this.#transport.pause(STALL_MS, done.signal);
    }
    done.abort();
  }

  async #sendPage(): Promise<void> {
    this.#answered ??= await this.#answerNext();
    const { texts, refused } = this.#answered;
    if (texts.length > 0) await this.#spool.settle(refused);
    this.#answered = undefined;
    this.#tally.settled(texts, this.#spool.isEmpty);
  }

  async #answerNext() {
    const { texts, damages } = await this.#spool.read(this.#bounds);
    this.#findings.addDamages(damages);
    if (texts.length === 0) return { texts, refused: [] };
    const refused = await this.#sender.send(texts);
    this.#answers++;
    return { texts, refused };
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

/** A caller who has left the id to the client needs it to send the same event again. */
function ofEvent(error: unknown, event_id: string): unknown {
  if (!(error instanceof ClientError)) return error;
  const { code, message, retryable } = error;
  return new ClientError(code, message, { retryable, details: [{ event_id }], cause: error });
}
