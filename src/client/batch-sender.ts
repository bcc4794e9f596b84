import type { PublishAnswer, WireEvent } from '../protocol/wire.ts';
import { ClientError } from './client-error.ts';
import { RequestError } from './request-error.ts';
import type { Receipt } from './topics.ts';
import { jsonInit, printQuery, type Transport } from './transport.ts';

export interface BatchSenderOptions {
  readonly ack?: 'stored' | 'queued';
  /** Told of each event that the store has answered; makes the answers longer. */
  readonly onReceipt?: (receipt: Receipt, event: WireEvent) => void;
  /** Told of each event that was not taken, with the reason: refused, or not taken in the client's `retryForMs`. */
  readonly onFailure?: (error: ClientError, event: WireEvent) => void;
}

export interface Failure {
  readonly event: WireEvent;
  readonly error: ClientError;
}

/** Failures that are kept for `flush`; those beyond are counted. */
const FAILURES_KEPT = 100;

/** Sends batches, and keeps what was not taken of them. */
export class BatchSender {
  readonly #transport: Transport;
  readonly #options: BatchSenderOptions;
  readonly #signal: AbortSignal;
  #failures: Failure[] = [];
  #failed = 0;

  constructor(transport: Transport, options: BatchSenderOptions, signal: AbortSignal) {
    this.#transport = transport;
    this.#options = options;
    this.#signal = signal;
  }

  /** @throws ClientError `events_not_taken` when some were not, since the last time */
  throwFailures(): void {
    if (this.#failed === 0) return;
    const count = this.#failed;
    const details = this.#failures;
    this.#failed = 0;
    this.#failures = [];
    throw new ClientError(
      'events_not_taken',
      `${count} events were not taken: ${details[0]?.error.message}`,
      {
        retryable: details.every(({ error }) => error.retryable),
        details,
        cause: details[0]?.error,
      },
    );
  }

  /** Sends JSON texts of events. Never rejects. */
  async send(texts: readonly string[]): Promise<void> {
    const { ack, onReceipt } = this.#options;
    const query = printQuery({ ack, results: onReceipt && 'all' });
    const init = jsonInit('POST', `[${texts.join(',')}]`);
    try {
      const answer = await this.#transport.json(`/publish${query}`, init, this.#signal);
      this.#book(texts, answer as PublishAnswer);
    } catch (thrown) {
      const error =
        thrown instanceof ClientError
          ? thrown
          : new ClientError('publisher_closed', 'the publisher was aborted', { cause: thrown });
      await this.#refused(texts, error);
    }
  }

  /** One bad event must not take its neighbours along: a batch that is refused as a whole is halved. */
  async #refused(texts: readonly string[], error: ClientError): Promise<void> {
    const errors = error instanceof RequestError ? error.problem?.['errors'] : undefined;
    if (Array.isArray(errors) && errors.length === texts.length) {
      this.#book(texts, { errors: errors as PublishAnswer['errors'] });
      return;
    }
    const isOfBatch = error instanceof RequestError && [413, 422].includes(error.status);
    if (!isOfBatch || texts.length === 1) {
      for (const text of texts) this.#fail(text, error);
      return;
    }
    const half = texts.length >> 1;
    await this.send(texts.slice(0, half));
    await this.send(texts.slice(half));
  }

  #book(texts: readonly string[], { errors, results = [] }: Pick<PublishAnswer, 'errors' | 'results'>): void {
    for (const { index, code, detail } of errors) this.#fail(texts[index]!, new ClientError(code, detail));
    const { onReceipt } = this.#options;
    for (const { index, verdict, event_id, position } of onReceipt ? results : []) {
      if (verdict === 'rejected' || event_id === null || position === null) continue;
      this.#tell(() => onReceipt?.({ verdict, event_id, position }, JSON.parse(texts[index]!) as WireEvent));
    }
  }

  #fail(text: string, error: ClientError): void {
    const event = JSON.parse(text) as WireEvent;
    this.#failed++;
    if (this.#failures.length < FAILURES_KEPT) this.#failures.push({ event, error });
    this.#tell(() => this.#options.onFailure?.(error, event));
  }

  /** What a callback throws must not end the sending. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#transport.log.warn(`sekali: a callback of the publisher threw: ${String(error)}`);
    }
  }
}
