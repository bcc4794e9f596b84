import {
  FETCH_MAX,
  type FetchAnswer,
  type LeasesRequest,
  type NackRequest,
  type SettledAnswer,
  type SubscriptionRequest,
  type WireStart,
} from '../protocol/subscriptions-wire.ts';
import { jsonInit, type Transport } from './transport.ts';

export interface SubscriptionOptions<Pattern extends string = string> {
  /** Patterns. With them, `run` makes the subscription, or gives it this definition; without, it has to be there. */
  readonly topics?: readonly Pattern[];
  /** Of a subscription that is made; of one that is there, the place stays. Default: the first event there is. */
  readonly start?: WireStart;
  /** How long an event is leased. The server's defaults hold for what is left out here and below. */
  readonly ackWaitMs?: number;
  /** Times that an event is handed out before it is a dead letter. 0: without an end. */
  readonly maxAttempts?: number;
  /** Events that are handed out and not settled, at most, of all consumers together. */
  readonly maxInFlight?: number;
  /** Before an event that failed is handed out again: doubled with each attempt, from the first to the last. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
  /** Of a topic one event at a time, in order. */
  readonly ordered?: boolean;
}

export type SettleAction = 'ack' | 'nack' | 'extend';

/** The requests of one subscription. */
export class Delivery {
  readonly name: string;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, name: string) {
    this.name = name;
    this.#transport = transport;
    this.#path = `/subscriptions/${encodeURIComponent(name)}`;
  }

  /** Makes it, or gives the one that is there this definition. */
  async put(
    topics: readonly string[],
    { start, ackWaitMs, maxAttempts, maxInFlight, backoff, ordered }: SubscriptionOptions,
    signal?: AbortSignal,
  ): Promise<void> {
    const body: SubscriptionRequest = {
      topics: [...topics],
      ...(start !== undefined && { start }),
      ...(ackWaitMs !== undefined && { ack_wait_ms: ackWaitMs }),
      ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
      ...(maxInFlight !== undefined && { max_in_flight: maxInFlight }),
      ...(backoff && { backoff: { first_ms: backoff.firstMs, max_ms: backoff.maxMs } }),
      ...(ordered !== undefined && { ordered }),
    };
    await this.#transport.json(this.#path, jsonInit('PUT', body), signal);
  }

  /** Waits up to `waitMs` for a first event. */
  async fetch(max: number, waitMs: number, signal?: AbortSignal): Promise<FetchAnswer> {
    const { value } = await this.#transport.send(
      `${this.#path}/fetch`,
      jsonInit('POST', { max: Math.min(max, FETCH_MAX), wait_ms: waitMs }),
      { signal, read: (response) => response.json(), overtimeMs: waitMs },
    );
    return value as FetchAnswer;
  }

  /** @returns `isRepeated` when an earlier try may have counted already */
  async settle(
    action: SettleAction,
    body: LeasesRequest | NackRequest,
  ): Promise<SettledAnswer & { isRepeated: boolean }> {
    const { value, tries } = await this.#transport.send(`${this.#path}/${action}`, jsonInit('POST', body), {
      read: (response) => response.json(),
    });
    return { ...(value as SettledAnswer), isRepeated: tries > 1 };
  }
}
