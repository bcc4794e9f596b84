import {
  type NackRequest,
  POSITIONS_MAX,
  REASON_LENGTH_MAX,
  type WireLease,
} from '../protocol/subscriptions-wire.ts';
import { ClientError, messageOf } from './client-error.ts';
import type { Delivery, SettleAction } from './delivery.ts';
import type { Held } from './hand-out.ts';

export interface Refusal {
  readonly action: SettleAction;
  readonly position: number;
  readonly topic: string;
  readonly event_id: string;
  /** Of the server's refusal, as `lease_expired`; of the request's failure; or `handler_slow`. */
  readonly code: string;
  readonly detail: string;
  /** An earlier try got no answer and may have counted: then nothing is wrong. */
  readonly mayHaveCounted: boolean;
}

interface Group {
  readonly action: 'ack' | 'nack';
  readonly more: Pick<NackRequest, 'delay_ms' | 'reason' | 'untried' | 'dead'>;
  readonly held: Held[];
}

/**
 * Tells the server what became of events: those that are settled while a request is under way go together into the next one. There is
 * nothing to wait for between them, so a lone one goes at once.
 */
export class Settlements {
  readonly #delivery: Delivery;
  readonly #onRefused: (refusal: Refusal) => void;
  #groups = new Map<string, Group>();
  #sending: Promise<void> | undefined;

  constructor(delivery: Delivery, onRefused: (refusal: Refusal) => void) {
    this.#delivery = delivery;
    this.#onRefused = onRefused;
  }

  ack(held: Held): void {
    this.#add('ack', held, {});
  }

  /** @param as `untried`: its handler was never called; `dead`: it is not to be handed out again */
  nack(held: Held, reason: string, as?: 'untried' | 'dead'): void {
    this.#add('nack', held, { reason: storable(reason), ...(as && { [as]: true }) });
  }

  /** Resolves when all are told. */
  async drained(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  #add(action: Group['action'], held: Held, more: Group['more']): void {
    // One that is lost has been told of.
    if (!held.isHeld) return;
    held.handOut.release(held);
    const key = JSON.stringify([action, more]);
    let group = this.#groups.get(key);
    if (group === undefined || group.held.length === POSITIONS_MAX) {
      // A full one keeps its place in line, under a name that nobody looks for.
      if (group) this.#groups.set(`${this.#groups.size} ${key}`, group);
      group = { action, more, held: [] };
    }
    group.held.push(held);
    this.#groups.set(key, group);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    // What is settled in this same turn goes along.
    await Promise.resolve();
    while (this.#groups.size > 0) {
      const groups = [...this.#groups.values()];
      this.#groups = new Map();
      await Promise.all(groups.map((group) => this.#settle(group)));
    }
    this.#sending = undefined;
  }

  async #settle({ action, more, held }: Group): Promise<void> {
    const leases = held.map((one): WireLease => ({ position: one.event.position, lease: one.handOut.lease }));
    try {
      const { refused, isRepeated } = await this.#delivery.settle(action, { leases, ...more });
      const byPosition = new Map(held.map((one) => [one.event.position, one]));
      for (const { position, code, detail } of refused) {
        const one = byPosition.get(position);
        if (one) this.#onRefused(refusalOf(action, one, code, detail, isRepeated && code === 'lease_stale'));
      }
    } catch (error) {
      const code = error instanceof ClientError ? error.code : 'no_answer';
      for (const one of held) this.#onRefused(refusalOf(action, one, code, messageOf(error), true));
    }
  }
}

/** A reason that the server takes: not empty, without NUL, and with whole characters where it was cut. */
function storable(reason: string): string {
  return (
    reason.slice(0, REASON_LENGTH_MAX).toWellFormed().replaceAll('\0', '\u{fffd}') || 'no reason was given'
  );
}

export function refusalOf(
  action: SettleAction,
  { event: { position, topic, event_id } }: Held,
  code: string,
  detail: string,
  mayHaveCounted = false,
): Refusal {
  return { action, position, topic, event_id, code, detail, mayHaveCounted };
}
