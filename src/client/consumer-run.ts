import type { FetchAnswer } from '../protocol/subscriptions-wire.ts';
import { backoffMs } from './backoff.ts';
import { messageOf } from './client-error.ts';
import type { Delivery } from './delivery.ts';
import { HandOut, type Held } from './hand-out.ts';
import type { ConsumerOptions, DeliveryContext, Handler } from './handler.ts';
import { RequestError } from './request-error.ts';
import { type Refusal, refusalOf, Settlements } from './settlements.ts';
import type { Transport } from './transport.ts';

/** One run: events are *ready*, or their handler runs. */
export class ConsumerRun {
  readonly #transport: Transport;
  readonly #delivery: Delivery;
  readonly #handler: Handler<unknown>;
  readonly #options: ConsumerOptions;
  readonly #concurrency: number;
  readonly #prefetch: number;
  readonly #settlements: Settlements;
  #ready: Held[] = [];
  readonly #running = new Set<Promise<void>>();
  #moved = Promise.withResolvers<void>();

  constructor(transport: Transport, delivery: Delivery, handler: Handler<unknown>, options: ConsumerOptions) {
    this.#transport = transport;
    this.#delivery = delivery;
    this.#handler = handler;
    this.#options = options;
    this.#concurrency = options.concurrency ?? 1;
    this.#prefetch = options.prefetch ?? this.#concurrency;
    this.#settlements = new Settlements(delivery, (refusal) => this.#refused(refusal));
  }

  async run(signal?: AbortSignal): Promise<void> {
    const wake = () => this.#moved.resolve();
    signal?.addEventListener('abort', wake, { once: true });
    try {
      await this.#take(signal);
    } finally {
      signal?.removeEventListener('abort', wake);
      for (const held of this.#ready.splice(0)) {
        this.#settlements.nack(held, 'the consumer stopped before its turn', 'untried');
      }
      while (this.#running.size > 0) await Promise.all(this.#running);
      await this.#settlements.drained();
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    const { waitMs = 20_000 } = this.#options;
    const isOver = () => signal?.aborted === true;
    for (let failures = 0; !isOver(); ) {
      const room = this.#concurrency + this.#prefetch - this.#running.size - this.#ready.length;
      // Not for each one that ends: half of them at once, while the other half is being worked on.
      if (room < Math.max(1, this.#prefetch)) {
        await this.#moved.promise;
        this.#moved = Promise.withResolvers();
        continue;
      }
      try {
        const askedAtMs = performance.now();
        const answer = await this.#delivery.fetch(room, waitMs, signal);
        this.#hold(answer);
        failures = 0;
        // A server that stops has no patience: it must not be asked again and again meanwhile.
        const isHasty = answer.count === 0 && performance.now() - askedAtMs < waitMs / 2;
        if (isHasty) await this.#pause(1, null, signal);
      } catch (error) {
        if (isOver()) return;
        if (!(error instanceof RequestError && error.retryable)) throw error;
        this.#transport.log.warn(`sekali: no events of ${this.#delivery.name}: ${error.message}`);
        await this.#pause(++failures, error.retryAfter, signal);
      }
    }
  }

  async #pause(failures: number, retryAfter: string | null, signal: AbortSignal | undefined): Promise<void> {
    await this.#transport.pause(backoffMs(failures, this.#transport.backoff, retryAfter), signal);
  }

  #hold({ lease, lease_ms, events }: FetchAnswer): void {
    // None when there is nothing.
    if (lease === null) return;
    const handOut = new HandOut(this.#delivery, events, {
      lease,
      leaseMs: lease_ms,
      clock: this.#transport.clock,
      handlerMs: this.#options.handlerMs ?? Number.POSITIVE_INFINITY,
      onLost: (held, code, detail) => this.#refused(refusalOf('extend', held, code, detail)),
      onTrouble: (error) => this.#transport.log.warn(`sekali: leases were not extended: ${messageOf(error)}`),
    });
    this.#ready.push(...handOut.held.values());
    this.#start();
  }

  #start(): void {
    while (this.#running.size < this.#concurrency) {
      const held = this.#ready.shift();
      if (held === undefined) return;
      // One that was lost while it waited belongs to somebody else.
      if (!held.isHeld) continue;
      const handled = this.#handle(held).finally(() => {
        this.#running.delete(handled);
        this.#moved.resolve();
        this.#start();
      });
      this.#running.add(handled);
    }
  }

  async #handle(held: Held): Promise<void> {
    const { attempt, ...event } = held.event;
    held.startedAtMs = performance.now();
    let deadReason: string | undefined;
    const context: DeliveryContext = {
      subscription: this.#delivery.name,
      position: event.position,
      attempt,
      signal: held.lost.signal,
      extend: () => held.handOut.extend([event.position]),
      deadLetter: (reason) => {
        deadReason = reason;
        throw new Error(`a dead letter: ${reason}`);
      },
    };
    let failure: string | undefined;
    try {
      await this.#handler(event, context);
    } catch (error) {
      failure = messageOf(error);
    }
    if (deadReason !== undefined) this.#settlements.nack(held, deadReason, 'dead');
    else if (failure !== undefined) this.#settlements.nack(held, failure);
    else this.#settlements.ack(held);
  }

  #refused(refusal: Refusal): void {
    const { onRefused } = this.#options;
    const { action, topic, event_id, position, detail } = refusal;
    try {
      if (onRefused) onRefused(refusal);
      else
        this.#transport.log.warn(
          `sekali: ${action} of ${topic} ${event_id} (position ${position}) did not count: ${detail}`,
        );
    } catch (error) {
      this.#transport.log.warn(`sekali: onRefused threw: ${messageOf(error)}`);
    }
  }
}
