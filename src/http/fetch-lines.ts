import type { Deliveries, Fetched } from '../deliver/deliveries.ts';
import type { StoredSignal } from '../store/store-reader.ts';
import { FetchLine, type FetchOptions } from './fetch-line.ts';

/** Nobody has seen them: that counts as no attempt. */
const UNTRIED = { delayMs: 0, reason: undefined, as: 'untried' } as const;

/**
 * Those who fetch stand in line, one line a subscription: who came first is served first, and however many wait, only the line looks
 * whether there is something. Hand-outs of one subscription exclude each other in the store anyway.
 *
 * What was handed out to one who left meanwhile is given back at once.
 */
export class FetchLines {
  readonly #deliveries: Deliveries;
  readonly #stored: StoredSignal;
  readonly #lines = new Map<string, FetchLine>();

  constructor({ deliveries, stored }: { deliveries: Deliveries; stored: StoredSignal }) {
    this.#deliveries = deliveries;
    this.#stored = stored;
  }

  /** @throws what {@link Deliveries.fetch} does, to all who stand in the line by then */
  async fetch(name: string, options: FetchOptions): Promise<Fetched> {
    return await (this.#lines.get(name) ?? this.#open(name)).join(options);
  }

  /** Something has changed that may make more of a subscription to hand out. */
  ring(name: string): void {
    this.#lines.get(name)?.ring();
  }

  /** Where even this fails, the lease ends by itself. */
  async giveBack(name: string, { lease, events }: Fetched): Promise<void> {
    const leases = events.map(({ event: { position } }) => ({ position, lease }));
    await this.#deliveries.nack(name, leases, UNTRIED).catch(() => {});
    this.ring(name);
  }

  #open(name: string): FetchLine {
    const line = new FetchLine({
      fetch: async (eventsMax) => await this.#deliveries.fetch(name, { eventsMax }),
      giveBack: async (fetched) => await this.giveBack(name, fetched),
      onEmpty: () => {
        stop();
        this.#lines.delete(name);
      },
    });
    const stop = this.#stored.onStored(() => line.ring());
    this.#lines.set(name, line);
    return line;
  }
}
