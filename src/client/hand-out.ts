import type { WireDelivery } from '../protocol/subscriptions-wire.ts';
import type { Delivery } from './delivery.ts';
import type { ClientClock } from './options.ts';

/** An event that was handed out. It is *held* until it is settled, or lost. */
export class Held {
  readonly event: WireDelivery;
  readonly handOut: HandOut;
  /** Aborted when the lease is lost: somebody else may have the event by now. */
  readonly lost = new AbortController();
  /** When its handler began, in milliseconds of `performance.now()`. */
  startedAtMs: number | undefined;

  constructor(event: WireDelivery, handOut: HandOut) {
    this.event = event;
    this.handOut = handOut;
  }

  get isHeld(): boolean {
    return this.handOut.held.get(this.event.position) === this;
  }
}

export interface HandOutOptions {
  readonly lease: string;
  readonly leaseMs: number;
  readonly clock: ClientClock;
  /** How long a handler may take, before its lease is no longer extended. */
  readonly handlerMs: number;
  readonly onLost: (held: Held, code: string, detail: string) => void;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * The events of one answer, under one lease. While some are held, their lease is extended each time that half of it is over: those
 * that run, and those that wait for their turn.
 */
export class HandOut {
  readonly lease: string;
  readonly held = new Map<number, Held>();
  readonly #delivery: Delivery;
  readonly #options: HandOutOptions;
  readonly #over = new AbortController();
  #endsAtMs: number;

  constructor(delivery: Delivery, events: readonly WireDelivery[], options: HandOutOptions) {
    this.lease = options.lease;
    this.#endsAtMs = performance.now() + options.leaseMs;
    this.#delivery = delivery;
    this.#options = options;
    for (const event of events) this.held.set(event.position, new Held(event, this));
    void this.#keep();
  }

  release(held: Held): void {
    this.held.delete(held.event.position);
    if (this.held.size === 0) this.#over.abort();
  }

  /** Extends leases now. */
  async extend(positions: number[]): Promise<void> {
    const { refused } = await this.#delivery.settle('extend', { lease: this.lease, positions });
    for (const { position, code, detail } of refused) this.#lose(position, code, detail);
  }

  async #keep(): Promise<void> {
    const { clock, leaseMs, onTrouble } = this.#options;
    while (this.held.size > 0) {
      try {
        await clock.wait(leaseMs / 2, this.#over.signal);
      } catch {
        return;
      }
      this.#giveUpSlow();
      const positions = [...this.held.keys()];
      if (positions.length === 0) return;
      const beganAtMs = performance.now();
      try {
        await this.extend(positions);
        this.#endsAtMs = beganAtMs + leaseMs;
      } catch (error) {
        onTrouble(error);
        if (performance.now() > this.#endsAtMs) this.#loseAll();
      }
    }
  }

  #giveUpSlow(): void {
    const { handlerMs } = this.#options;
    for (const [position, { startedAtMs = Number.POSITIVE_INFINITY }] of this.held) {
      if (performance.now() - startedAtMs > handlerMs) {
        this.#lose(position, 'handler_slow', `its handler took longer than ${handlerMs} ms`);
      }
    }
  }

  #loseAll(): void {
    for (const position of this.held.keys()) {
      this.#lose(position, 'lease_expired', 'the lease could not be extended in time');
    }
  }

  /** What was settled meanwhile is none of ours to lose. */
  #lose(position: number, code: string, detail: string): void {
    const held = this.held.get(position);
    if (held === undefined) return;
    this.release(held);
    held.lost.abort(new Error(`the lease is lost: ${detail}`));
    this.#options.onLost(held, code, detail);
  }
}
