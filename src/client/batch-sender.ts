import type { PublishAnswer, WireEvent } from '../protocol/wire.ts';
import { ClientError } from './client-error.ts';
import { RequestError } from './request-error.ts';
import { tell } from './tell.ts';
import type { Receipt } from './topics.ts';
import { jsonInit, printQuery, type Transport } from './transport.ts';

export interface BatchSenderOptions {
  readonly ack?: 'stored' | 'queued';
  /** Told of each event that the store has answered; makes the answers longer. */
  readonly onReceipt?: (receipt: Receipt, event: WireEvent) => void;
  /** Told of each event that was not taken, with the reason: refused, or not taken in the client's `retryForMs`; with a spool on disk the first alone. */
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
  readonly #insist: ((error: RequestError) => boolean) | undefined;
  #failures: Failure[] = [];
  #failed = 0;

  /**
   * @param onHeld given, nothing is given up but what the server refuses event by event. All else is tried again, and this is told
   *   when it is nothing that passes by itself, as a wrong key
   */
  constructor(
    transport: Transport,
    options: BatchSenderOptions,
    signal: AbortSignal,
    onHeld?: (error: RequestError) => void,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#signal = signal;
    this.#insist = onHeld && ((error) => insists(error, onHeld));
  }

  /** `events_not_taken` when some were not, since the last time. */
  takeFailures(): ClientError | undefined {
    if (this.#failed === 0) return undefined;
    const count = this.#failed;
    const details = this.#failures;
    this.#failed = 0;
    this.#failures = [];
    return new ClientError(
      'events_not_taken',
      `${count} events were not taken: ${details[0]?.error.message}`,
      {
        retryable: details.every(({ error }) => error.retryable),
        details,
        cause: details[0]?.error,
      },
    );
  }

  /**
   * Sends JSON texts of events.
   *
   * @returns those that were not taken
   * @throws where nothing is given up, what is no refusal of these events, as the signal's reason
   */
  async send(texts: readonly string[]): Promise<readonly Failure[]> {
    const { ack, onReceipt } = this.#options;
    const query = printQuery({ ack, results: onReceipt && 'all' });
    const init = jsonInit('POST', `[${texts.join(',')}]`);
    const read = (response: Response) => readAnswer(response, texts, this.#transport.url);
    const how = { signal: this.#signal, read, insist: this.#insist };
    let answer: PublishAnswer;
    try {
      answer = (await this.#transport.send(`/publish${query}`, init, how)).value;
    } catch (thrown) {
      return await this.#refused(texts, this.#refusalOf(thrown));
    }
    return this.#book(texts, answer);
  }

  #refusalOf(thrown: unknown): ClientError {
    const error =
      thrown instanceof ClientError
        ? thrown
        : new ClientError('publisher_closed', 'the publisher was aborted', { cause: thrown });
    if (this.#insist && !isOfEvents(error)) throw thrown;
    return error;
  }

  /** One bad event must not take its neighbours along: a batch that is refused as a whole is halved. */
  async #refused(texts: readonly string[], error: ClientError): Promise<readonly Failure[]> {
    const errors = error instanceof RequestError ? error.problem?.['errors'] : undefined;
    if (isOf(texts, errors) && errors.length === texts.length) {
      return this.#book(texts, { errors: errors as PublishAnswer['errors'] });
    }
    if (!isOfEvents(error) || texts.length === 1) return texts.map((text) => this.#fail(text, error));
    const half = texts.length >> 1;
    const first = await this.send(texts.slice(0, half));
    return [...first, ...(await this.send(texts.slice(half)))];
  }

  #book(
    texts: readonly string[],
    { errors, results }: Pick<PublishAnswer, 'errors' | 'results'>,
  ): readonly Failure[] {
    const { onReceipt } = this.#options;
    for (const { index, verdict, event_id, position } of (onReceipt && results) ?? []) {
      if (verdict === 'rejected' || event_id === null || position === null) continue;
      this.#tell(() => onReceipt?.({ verdict, event_id, position }, JSON.parse(texts[index]!) as WireEvent));
    }
    return errors.map(({ index, code, detail }) => this.#fail(texts[index]!, new ClientError(code, detail)));
  }

  #fail(text: string, error: ClientError): Failure {
    const failure = { event: JSON.parse(text) as WireEvent, error };
    this.#failed++;
    if (this.#failures.length < FAILURES_KEPT) this.#failures.push(failure);
    this.#tell(() => this.#options.onFailure?.(error, failure.event));
    return failure;
  }

  #tell(call: () => void): void {
    tell(this.#transport.log, call);
  }
}

/** A page that says "welcome" with 200 has stored nothing. */
async function readAnswer(response: Response, texts: readonly string[], url: string): Promise<PublishAnswer> {
  // An answer that breaks off rejects here, and is a failed try like any other.
  const text = await response.text();
  const answer = parsed(text) as PublishAnswer | null;
  if (isOf(texts, answer?.errors) && isOf(texts, answer?.results ?? [])) return answer;
  const { status } = response;
  throw new RequestError(`what answers ${status} at ${url} is no Sekali server`, {
    code: 'answer_invalid',
    status,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether these are items of an answer, each of one of the events. */
function isOf(texts: readonly string[], items: unknown): items is readonly { readonly index: number }[] {
  return (
    Array.isArray(items) &&
    items.every((item: { index?: unknown } | null) => texts[item?.index as number] !== undefined)
  );
}

function insists(error: RequestError, onHeld: (error: RequestError) => void): boolean {
  if (isOfEvents(error)) return false;
  if (!error.retryable) onHeld(error);
  return true;
}

/** Whether other events in their place could be taken: it is what was sent that is refused, not who sends it or where to. */
function isOfEvents(error: ClientError): boolean {
  return OF_EVENTS.has(error.code) || (error instanceof RequestError && error.status === 413);
}

const OF_EVENTS = new Set(['json_invalid', 'utf8_invalid', 'batch_invalid', 'events_invalid']);
