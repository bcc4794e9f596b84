import { RequestError } from '../../client/request-error.ts';
import type { Sekali } from '../../client/sekali.ts';
import type { PublishAnswer, WireRejection } from '../../protocol/wire.ts';
import type { Entry } from './batch.ts';
import type { ShipReport } from './ship-report.ts';

/** What a server that refuses a whole request may have meant by one event in it. */
const REFUSALS = new Set([400, 413, 422]);

export interface SenderOptions {
  readonly client: Sekali;
  readonly topic: string;
  readonly report: ShipReport;
  /** Whether each conflict is told with its line. Only ids that lines bring along can conflict. */
  readonly tellsConflicts: boolean;
  /** Ends what is under way, when there is no more time for it. */
  readonly giveUp: AbortSignal;
}

/** Hands batches to the server. The client repeats what may pass; what comes back from here is final. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Sends events, and resolves when the server has stored or rejected each of them.
   *
   * @returns the last event that the server has: once it has that, it has all before it
   * @throws RequestError when the server could not be reached in time, or refuses us
   */
  async send(entries: readonly Entry[]): Promise<string | undefined> {
    const { client, tellsConflicts, giveUp } = this.#options;
    try {
      const answer = await client.publish(`[${entries.map((entry) => entry.json).join(',')}]`, {
        // Only what is stored may move the checkpoint: a queue is the server's business.
        ack: 'stored',
        ...(tellsConflicts && { results: 'all' }),
        signal: giveUp,
      });
      return this.#answered(entries, answer);
    } catch (error) {
      if (!(error instanceof RequestError) || !REFUSALS.has(error.status)) throw error;
      return await this.#refused(entries, error);
    }
  }

  /**
   * Whether the server has the event, or had it until retention removed it; `unknown` when it does not say, as to a key that may only publish.
   *
   * @throws RequestError when the server could not be reached in time
   */
  async has(eventId: string): Promise<boolean | 'unknown'> {
    const { client, topic, giveUp } = this.#options;
    try {
      await client.event(topic, eventId, giveUp);
      return true;
    } catch (error) {
      if (error instanceof RequestError && error.code === 'event_unknown') return false;
      if (error instanceof RequestError && error.code === 'event_retired') return true;
      if (error instanceof RequestError && !error.retryable) return 'unknown';
      throw error;
    }
  }

  #answered(entries: readonly Entry[], answer: PublishAnswer): string | undefined {
    const { report } = this.#options;
    report.answered(answer);
    for (const { index, verdict } of answer.results ?? []) {
      const entry = entries[index];
      if (entry && verdict === 'conflict') report.conflict(entry, entry.eventId);
    }
    return this.#rejected(entries, answer.errors);
  }

  /** Tells the rejected ones. Returns the last of the others. */
  #rejected(entries: readonly Entry[], errors: readonly WireRejection[]): string | undefined {
    const reasons = new Map(errors.map(({ index, detail }) => [index, detail]));
    for (const [index, reason] of reasons) {
      const entry = entries[index];
      if (entry) this.#options.report.rejected(entry, reason);
    }
    return entries.findLast((_entry, index) => !reasons.has(index))?.eventId;
  }

  /** Nothing was stored: each event is bad, or one is, or they are too many or too large together. */
  async #refused(entries: readonly Entry[], error: RequestError): Promise<string | undefined> {
    const errors = error.problem?.['errors'];
    if (Array.isArray(errors) && errors.length === entries.length) {
      return this.#rejected(entries, errors as WireRejection[]);
    }
    if (entries.length <= 1) {
      for (const entry of entries) this.#options.report.rejected(entry, error.message);
      return undefined;
    }
    const half = Math.ceil(entries.length / 2);
    const first = await this.send(entries.slice(0, half));
    const second = await this.send(entries.slice(half));
    return second ?? first;
  }
}
