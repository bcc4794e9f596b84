import type {
  CountAnswer,
  DeadLettersAnswer,
  DeadLettersRequest,
  RotateSecretAnswer,
  RotateSecretRequest,
  SeekAnswer,
  SeekRequest,
  SubscriptionAnswer,
  SubscriptionRequest,
  SubscriptionsAnswer,
  WireSubscription,
} from '../protocol/subscriptions-wire.ts';
import { jsonInit, printQuery, type Transport } from './transport.ts';

export interface RemoveOptions {
  /** Only if the definition that is there has this version, as `get` and `list` show it. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends RemoveOptions {
  /** Only if there is none of the name. */
  readonly ifNoneMatch?: '*' | undefined;
}

/**
 * Looks after subscriptions; what they hand out is taken by a consumer. All of it throws RequestError: `subscription_unknown` where
 * there is none of the name, `subscription_invalid` where a member of the request is not valid.
 */
export class SubscriptionCalls {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A page, by name: the first one, or what comes after a name. */
  async list(
    query: { readonly after?: string | undefined; readonly limit?: number | undefined } = {},
    signal?: AbortSignal,
  ): Promise<SubscriptionsAnswer> {
    return (await this.#transport.json(
      `/subscriptions${printQuery(query)}`,
      {},
      signal,
    )) as SubscriptionsAnswer;
  }

  async get(name: string, signal?: AbortSignal): Promise<SubscriptionAnswer> {
    return (await this.#transport.json(pathOf(name), {}, signal)) as SubscriptionAnswer;
  }

  /**
   * Makes it, or gives the one that is there this definition, whole: what is left out has its default again. A webhook ends with
   * `webhook: null` alone, and a subscription that has none gets one only with `ifMatch`.
   *
   * @returns `isNew` unless it was there; a first try whose answer got lost may have made it, too. `webhook.secret` stands in the answer
   *   alone to the try that has made the webhook: where that one got lost, `rotateSecret` gives another
   * @throws RequestError `subscription_changed` where a condition does not hold, as after a first try whose answer got lost;
   *   `webhook_conflict` where a webhook would end or begin by the way
   */
  async put(
    name: string,
    definition: SubscriptionRequest,
    { ifMatch, ifNoneMatch, signal }: PutOptions = {},
  ): Promise<{ isNew: boolean; subscription: WireSubscription }> {
    const init = jsonInit('PUT', definition, {
      ...ifMatchHeader(ifMatch),
      ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
    });
    const { value } = await this.#transport.send(pathOf(name), init, {
      signal,
      read: async (response) => ({
        isNew: response.status === 201,
        subscription: (await response.json()) as WireSubscription,
      }),
    });
    return value;
  }

  /**
   * With its leases and dead letters; the events stay. It is unknown, too, where a first try has removed it and its answer got lost.
   *
   * @throws RequestError `subscription_changed` where it has another version than `ifMatch`
   */
  async remove(name: string, { ifMatch, signal }: RemoveOptions = {}): Promise<void> {
    await this.#transport.request(
      pathOf(name),
      { method: 'DELETE', headers: ifMatchHeader(ifMatch) },
      signal,
    );
  }

  /** Moves it, back or forth: all above the place is pending again, and leases are given up. */
  async seek(name: string, request: SeekRequest, signal?: AbortSignal): Promise<SeekAnswer> {
    return (await this.#transport.json(
      `${pathOf(name)}/seek`,
      jsonInit('POST', request),
      signal,
    )) as SeekAnswer;
  }

  /** A page, by position: the first one, or what comes after a position. */
  async deadLetters(
    name: string,
    query: { readonly after?: number | undefined; readonly limit?: number | undefined } = {},
    signal?: AbortSignal,
  ): Promise<DeadLettersAnswer> {
    const path = `${pathOf(name)}/dead-letters${printQuery(query)}`;
    return (await this.#transport.json(path, {}, signal)) as DeadLettersAnswer;
  }

  /** Has dead letters handed out again, as if they had never been tried. */
  async redrive(name: string, which: DeadLettersRequest, signal?: AbortSignal): Promise<CountAnswer> {
    return await this.#settleDead(name, 'redrive', which, signal);
  }

  /** Lets go of dead letters: they count as acknowledged. */
  async discard(name: string, which: DeadLettersRequest, signal?: AbortSignal): Promise<CountAnswer> {
    return await this.#settleDead(name, 'discard', which, signal);
  }

  /**
   * Gives its webhook another secret, which no other answer shows. The old ones are signed with too for `overlap_ms`: 0 to a week, a day when
   * it is absent. It is sent once, however long the client tries other calls: a call that fails may have made a secret all the same, which
   * nobody has seen. Calling again is sound, and makes another; five hold at one time.
   *
   * @throws RequestError `subscription_invalid` where it has no webhook, `secrets_full` where five hold already
   */
  async rotateSecret(
    name: string,
    request: RotateSecretRequest = {},
    signal?: AbortSignal,
  ): Promise<RotateSecretAnswer> {
    const path = `${pathOf(name)}/webhook/rotate-secret`;
    return (await this.#transport.jsonOnce(path, jsonInit('POST', request), signal)) as RotateSecretAnswer;
  }

  async #settleDead(
    name: string,
    action: 'redrive' | 'discard',
    which: DeadLettersRequest,
    signal: AbortSignal | undefined,
  ): Promise<CountAnswer> {
    const path = `${pathOf(name)}/dead-letters/${action}`;
    return (await this.#transport.json(path, jsonInit('POST', which), signal)) as CountAnswer;
  }
}

function ifMatchHeader(version: string | undefined): Record<string, string> {
  return version === undefined ? {} : { 'if-match': `"${version}"` };
}

function pathOf(name: string): string {
  return `/subscriptions/${encodeURIComponent(name)}`;
}
