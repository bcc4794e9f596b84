import { SekaliError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { type DefinitionCondition, holds } from '../../store/definition-condition.ts';
import type { StoredSignal } from '../../store/store-reader.ts';
import type {
  PutDone,
  Subscription,
  SubscriptionDefinition,
  WebhookDefinition,
} from '../../store/subscription-store.ts';
import { Turns } from '../../turns.ts';
import type { Deliveries, Start } from '../deliveries.ts';
import { subscriptionChanged } from '../subscription-changed.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';
import { Dispatcher } from './dispatcher.ts';
import { Poster } from './post-event.ts';
import { makeSecret, rotate } from './secrets.ts';
import { TargetPolicy } from './target-policy.ts';
import { refuseTurning } from './turning.ts';

export interface WebhooksOptions {
  readonly deliveries: Deliveries;
  readonly stored: StoredSignal;
  readonly userAgent: string;
  /** Hosts, addresses and networks outside the public internet that may be sent to (target-policy.ts). */
  readonly allowed: readonly string[];
  /** For one request. */
  readonly timeoutMs: number;
  /** At one time, of all subscriptions. */
  readonly requestsMax: number;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
  readonly breaker?: Pick<BreakerOptions, 'failuresMax' | 'firstMs' | 'maxMs'>;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** What a request says of a webhook. */
export type GivenWebhook = Pick<WebhookDefinition, 'url' | 'concurrency' | 'retryMs'>;

/** How it goes, as this instance sees it. */
export interface WebhookStatus {
  readonly state: 'active' | 'paused' | 'disabled';
  /** Of the last failure, unless all goes well. */
  readonly reason: string | undefined;
  /** Of its target, one after the other. */
  readonly failures: number;
  /** Undefined unless it is paused. */
  readonly nextTryInMs: number | undefined;
}

/** What a request says of a subscription besides its definition. */
export interface GivenPut {
  readonly start: Start;
  /** Null: there is to be none. Undefined: nothing was said of it. */
  readonly webhook: GivenWebhook | null | undefined;
  readonly condition: DefinitionCondition;
}

/** What came of a put. */
export interface PutAnswer extends PutDone {
  /** If one was made. */
  readonly secret: string | undefined;
}

/** Times that a change is begun anew, because another instance has changed the same subscription in between. */
const ROUNDS_MAX = 10;

/** How often a target may fail, one time after the other, before it is left alone, and for how long. */
const BREAKER = { failuresMax: 10, firstMs: 1000, maxMs: 300_000 };

/**
 * Subscriptions whose events are sent to a URL, one request an event. The events are handed out as to any consumer: an answer of 2xx
 * acknowledges one, any other answer gives it back.
 */
export class Webhooks {
  readonly #options: Required<WebhooksOptions>;
  readonly #policy: TargetPolicy;
  readonly #poster: Poster;
  readonly #dispatcher: Dispatcher;
  /** By origin: what is down is so for all who send there. */
  readonly #breakers = new Map<string, Breaker>();
  /** Changes of definitions go one after the other, for each looks at what is there first. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: WebhooksOptions) {
    this.#options = { breaker: BREAKER, random: Math.random, ...options };
    this.#policy = new TargetPolicy(options.allowed);
    this.#poster = new Poster(this.#policy);
    this.#dispatcher = new Dispatcher({
      deliveries: options.deliveries,
      stored: options.stored,
      line: {
        ...this.#options,
        slots: new Turns(options.requestsMax),
        breakerOf: (url) => this.#breakerOf(url),
        post: (request) => this.#poster.post(request),
        onGone: (name, version, reason) => this.disable(name, version, reason),
        onChanged: () => this.#dispatcher.lookAgain(),
      },
    });
  }

  /**
   * As `Deliveries.put`. One that has a webhook already keeps its secrets, and is enabled again.
   *
   * @throws SekaliError `subscription_invalid` for a URL that nothing may be sent to, `subscription_changed` where the condition does not
   *   hold, `webhook_conflict` (turning.ts)
   */
  async put(name: string, definition: SubscriptionDefinition, given: GivenPut): Promise<PutAnswer> {
    const { webhook } = given;
    const refusal = webhook ? this.#policy.refusal(webhook.url) : undefined;
    if (refusal !== undefined) {
      throw new SekaliError('subscription_invalid', `webhook.url: ${refusal}`, { member: 'webhook.url' });
    }
    return await this.#change(name, (found) => this.#putOver(found, name, definition, given));
  }

  async #putOver(
    found: Subscription | undefined,
    name: string,
    given: SubscriptionDefinition,
    { start, webhook, condition }: GivenPut,
  ): Promise<PutAnswer | undefined> {
    if (!holds(condition, found?.version)) throw subscriptionChanged(name);
    if (found !== undefined) refuseTurning(name, found, webhook, condition);
    const kept = webhook && found?.webhook?.secrets;
    const secret = webhook && kept === undefined ? makeSecret() : undefined;
    const secrets = kept ?? (secret === undefined ? [] : [{ secret, untilMs: null }]);
    const whole = webhook && { webhook: { ...webhook, secrets, disabledReason: null } };
    const definition = { ...given, ...whole };
    const done = await this.#options.deliveries.put(name, definition, start, asSeen(found));
    return done && { ...done, secret };
  }

  /**
   * Makes another secret. Those before it are signed with too, for so long.
   *
   * @throws SekaliError `subscription_unknown`, `subscription_invalid` for one without a webhook, `secrets_full` (secrets.ts)
   */
  async rotateSecret(name: string, overlapMs: number): Promise<string> {
    return await this.#change(name, async (subscription) => {
      if (subscription === undefined) {
        throw new SekaliError('subscription_unknown', `there is no subscription ${JSON.stringify(name)}`);
      }
      const { webhook, ...found } = subscription;
      if (webhook === undefined) {
        throw new SekaliError('subscription_invalid', 'the subscription has no webhook', {
          member: 'webhook',
        });
      }
      const secret = makeSecret();
      const secrets = rotate(webhook.secrets, secret, overlapMs, Date.now());
      const done = await this.#replace(found, { ...webhook, secrets });
      return done && secret;
    });
  }

  status(webhook: WebhookDefinition): WebhookStatus {
    const { isClosed, failures, reason, nextTryInMs } = this.#breakerOf(webhook.url);
    if (webhook.disabledReason !== null) {
      return { state: 'disabled', reason: webhook.disabledReason, failures, nextTryInMs: undefined };
    }
    if (isClosed) return { state: 'active', reason, failures, nextTryInMs: undefined };
    return { state: 'paused', reason, failures, nextTryInMs };
  }

  /** A subscription was removed or moved, or what is dead was given another chance. */
  changed(name: string): void {
    this.#dispatcher.changed(name);
  }

  /** Requests under way have so long to come to an end. */
  async stop(graceMs: number): Promise<void> {
    await this.#dispatcher.stop(graceMs);
    this.#poster.close();
  }

  /** The definition that was sent by, and no other: one that was put since may have been put because of that answer. */
  async disable(name: string, version: string, reason: string): Promise<void> {
    await this.#change(name, async (subscription) => {
      if (subscription?.webhook === undefined || subscription.version !== version) return false;
      const { webhook, ...found } = subscription;
      const done = await this.#replace(found, { ...webhook, disabledReason: reason });
      if (done === undefined) return undefined;
      // The origin alone: with some receivers the rest of the URL is a secret.
      const { origin } = new URL(webhook.url);
      this.#options.log.warn(
        { subscription: name, origin, reason },
        'the receiver is gone: the webhook is disabled',
      );
      return true;
    });
  }

  async #replace(
    found: Omit<Subscription, 'webhook'>,
    webhook: WebhookDefinition,
  ): Promise<PutDone | undefined> {
    const { topics, ackWaitMs, attemptsMax, inFlightMax, backoff, ordered } = found;
    const definition = { topics, ackWaitMs, attemptsMax, inFlightMax, backoff, ordered, webhook };
    return await this.#options.deliveries.put(found.name, definition, { kind: 'latest' }, asSeen(found));
  }

  /**
   * Changes what is there, by work that puts over what it was given and over nothing else: where another instance was faster, it is
   * begun anew with what that one has put.
   *
   * @param work resolves with undefined where it was not put
   * @throws SekaliError `overloaded` when others change it all the time
   */
  async #change<T extends {}>(
    name: string,
    work: (found: Subscription | undefined) => Promise<T | undefined>,
  ): Promise<T> {
    return await this.#inTurn(async () => {
      try {
        for (let round = 0; round < ROUNDS_MAX; round++) {
          const done = await work(await this.#options.deliveries.get(name));
          if (done !== undefined) return done;
        }
      } finally {
        this.#dispatcher.changed(name);
      }
      throw new SekaliError('overloaded', 'others change the subscription all the time');
    });
  }

  #breakerOf(url: string): Breaker {
    const { origin } = new URL(url);
    const known = this.#breakers.get(origin);
    if (known !== undefined) return known;
    const { breaker, random, log } = this.#options;
    const made = new Breaker({
      ...breaker,
      random,
      onOpen: (reason, forMs) =>
        log.warn({ origin, reason, forMs: Math.round(forMs) }, 'nothing is sent there for a while'),
    });
    this.#breakers.set(origin, made);
    return made;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return await mine;
  }
}

function asSeen(found: Pick<Subscription, 'version'> | undefined): DefinitionCondition {
  return found === undefined ? { noneMatch: '*' } : { match: [found.version] };
}
