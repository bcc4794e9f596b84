import type { LeaseRef } from '../../store/subscription-store.ts';

/**
 * Acknowledges the events of one subscription together: those that come while an acknowledgement is under way wait for it, and are the
 * next one. Each is a transaction, and room for as many events comes free at once.
 */
export class Acks {
  readonly #ack: (leases: readonly LeaseRef[]) => Promise<unknown>;
  #waiting: { leases: LeaseRef[]; done: Promise<unknown> } | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(ack: (leases: readonly LeaseRef[]) => Promise<unknown>) {
    this.#ack = ack;
  }

  /** @throws what the acknowledgement does, to all who are in it */
  async add(lease: LeaseRef): Promise<void> {
    this.#waiting ??= this.#open();
    this.#waiting.leases.push(lease);
    await this.#waiting.done;
  }

  #open(): { leases: LeaseRef[]; done: Promise<unknown> } {
    const leases: LeaseRef[] = [];
    const done = this.#underWay.then(() => {
      this.#waiting = undefined;
      return this.#ack(leases);
    });
    this.#underWay = done.catch(() => {});
    return { leases, done };
  }
}
