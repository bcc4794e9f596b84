import { setTimeout as pause } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import type { WebhookDefinition } from '../../store/subscription-store.ts';
import type { Turns } from '../../turns.ts';
import { Bell } from '../bell.ts';
import type { Deliveries } from '../deliveries.ts';
import { Acks } from './acks.ts';
import type { Breaker } from './breaker.ts';
import { type Delivery, type DeliveryParts, sendEvent, settleEvent } from './delivery.ts';
import type { PostOutcome } from './post-event.ts';

/** Between two looks that find nothing: commits that come faster are looked at together. */
const LOOK_EVERY_MS = 20;

/** A look is made at least so often: what other instances change does not ring here. */
const LOOK_AT_LEAST_EVERY_MS = 5000;

/** After a look that failed. */
const RETRY_MS = 1000;

export interface LineParts extends DeliveryParts {
  readonly deliveries: Pick<Deliveries, 'fetch' | 'ack' | 'nack'>;
  /** Room for the requests of all lines. */
  readonly slots: Turns;
  readonly breakerOf: (url: string) => Breaker;
  /** The subscription has another definition by now. */
  readonly onChanged: () => void;
}

/** A subscription as far as its line goes. */
export interface Sent {
  readonly webhook: WebhookDefinition;
  readonly version: string;
}

/**
 * Sends the events of one subscription: as many are handed out as can be sent at once, so that no lease runs while an event waits for
 * its turn.
 *
 * States: *running* → (stop: the subscription has no webhook any more, or the server ends) → *finishing*: nothing is fetched, requests
 * under way come to their end → (cut) they are aborted, and their events given back.
 */
export class WebhookLine {
  readonly #name: string;
  readonly #parts: LineParts;
  readonly #bell = new Bell();
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #acks: Acks;
  readonly ended: Promise<void>;
  #sent: Sent;
  #retargeting = new AbortController();

  constructor(name: string, sent: Sent, parts: LineParts) {
    this.#name = name;
    this.#sent = sent;
    this.#parts = parts;
    this.#acks = new Acks((leases) => parts.deliveries.ack(name, leases));
    this.ended = this.#run();
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** It holds from the next request on. */
  update(sent: Sent): void {
    const isRetargeted = sent.webhook.url !== this.#sent.webhook.url;
    const isChanged = sent.version !== this.#sent.version;
    this.#sent = sent;
    if (isChanged) this.ring();
    if (isRetargeted) {
      this.#retargeting.abort();
      this.#retargeting = new AbortController();
    }
  }

  /** There may be more to hand out. */
  ring(): void {
    this.#bell.ring();
  }

  /** Fetches nothing any more. */
  stop(): void {
    this.#stopping.abort();
    this.#bell.ring();
  }

  cut(): void {
    this.stop();
    this.#cutting.abort();
  }

  async #run(): Promise<void> {
    while (!this.isStopping) {
      const room = this.#sent.webhook.concurrency - this.#underWay.size;
      const waitMs =
        room > 0 ? await this.#handOut(room).catch((error: unknown) => this.#excuse(error)) : undefined;
      if (waitMs !== 0) await this.#wait(waitMs);
    }
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** @returns for how long to wait unless it rings */
  async #handOut(room: number): Promise<number> {
    const { deliveries, slots, breakerOf } = this.#parts;
    const ready = AbortSignal.any([this.#stopping.signal, this.#retargeting.signal]);
    await breakerOf(this.#sent.webhook.url).ready(ready);
    const taken = await slots.take(room);
    const { webhook, version } = this.#sent;
    const breaker = breakerOf(webhook.url);
    const admitted = this.isStopping ? 0 : breaker.admit(taken);
    let sent = 0;
    try {
      if (admitted === 0) return 0;
      const { events, lease, leaseMs, nextDueInMs } = await deliveries.fetch(this.#name, {
        eventsMax: admitted,
        version,
      });
      for (const one of events) {
        sent++;
        const [acks, cut] = [this.#acks, this.#cutting.signal];
        this.#begin(
          { ...one, subscription: this.#name, webhook, version, lease, leaseMs, cut, acks },
          breaker,
        );
      }
      return sent > 0 ? 0 : Math.min(nextDueInMs ?? LOOK_AT_LEAST_EVERY_MS, LOOK_AT_LEAST_EVERY_MS);
    } finally {
      slots.give(taken - sent);
      if (sent === 0 && admitted > 0) breaker.giveBack();
    }
  }

  #begin(delivery: Delivery, breaker: Breaker): void {
    const underWay = this.#deliver(delivery, breaker).finally(() => {
      this.#underWay.delete(underWay);
      this.#parts.slots.give(1);
      this.#bell.ring();
    });
    this.#underWay.add(underWay);
  }

  async #deliver(delivery: Delivery, breaker: Breaker): Promise<void> {
    const outcome = await sendEvent(this.#parts, delivery);
    tell(breaker, outcome);
    if (outcome.kind === 'gone' && delivery.version === this.#sent.version) this.stop();
    await settleEvent(this.#parts, delivery, outcome);
  }

  /** @param forMs undefined: until something under way is settled */
  async #wait(forMs: number | undefined): Promise<void> {
    const due = forMs === undefined ? undefined : setTimeout(() => this.#bell.ring(), forMs);
    await this.#bell.wait();
    clearTimeout(due);
    if (forMs !== undefined && !this.isStopping) await pause(LOOK_EVERY_MS);
  }

  #excuse(error: unknown): number {
    const code = error instanceof SekaliError ? error.code : undefined;
    if (code === 'subscription_unknown') this.stop();
    else if (code === 'subscription_changed') this.#parts.onChanged();
    else this.#parts.log.debug({ subscription: this.#name, reason: messageOf(error) }, 'nothing was fetched');
    return RETRY_MS;
  }
}

function tell(breaker: Breaker, outcome: PostOutcome): void {
  if (outcome.kind === 'aborted') breaker.giveBack();
  else if (outcome.kind === 'failed' && outcome.isTargetDown) breaker.fail(outcome.reason);
  // Whoever refuses an event is there.
  else breaker.succeed();
}
