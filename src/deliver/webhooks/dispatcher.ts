import { messageOf } from '../../message-of.ts';
import type { StoredSignal } from '../../store/store-reader.ts';
import type { Subscription } from '../../store/subscription-store.ts';
import { Bell } from '../bell.ts';
import type { Deliveries } from '../deliveries.ts';
import { type LineParts, WebhookLine } from './webhook-line.ts';

/** Subscriptions that other instances have made, changed or removed are found within this time. */
const LIST_EVERY_MS = 5000;

const PAGE = 1000;

export interface DispatcherOptions {
  readonly deliveries: Pick<Deliveries, 'list'>;
  readonly stored: StoredSignal;
  readonly line: LineParts;
}

/**
 * Runs a line for each subscription with a webhook that is not disabled. Every instance does: the leases of the subscription keep them
 * apart.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lines = new Map<string, WebhookLine>();
  /** Of webhooks that are not any more; they finish what is under way. */
  readonly #ending = new Set<WebhookLine>();
  readonly #bell = new Bell();
  readonly #ended: Promise<void>;
  #isStopping = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** A subscription was made, changed or removed here, or moved. */
  changed(name: string): void {
    this.#lines.get(name)?.ring();
    this.#bell.ring();
  }

  /** A line has found out that another instance has changed its subscription. */
  lookAgain(): void {
    this.#bell.ring();
  }

  /** Requests under way have so long to come to an end. Then they are aborted, and their events are given back. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#bell.ring();
    await this.#ended;
    for (const name of this.#lines.keys()) this.#end(name);
    const lines = [...this.#ending];
    const cut = setTimeout(() => {
      for (const line of lines) line.cut();
    }, graceMs);
    await Promise.all(lines.map(({ ended }) => ended));
    clearTimeout(cut);
  }

  async #run(): Promise<void> {
    const stop = this.#options.stored.onStored(() => {
      for (const line of this.#lines.values()) line.ring();
    });
    while (!this.#isStopping) {
      await this.#look().catch((error: unknown) => {
        this.#options.line.log.debug({ reason: messageOf(error) }, 'webhooks could not be listed');
      });
      if (this.#isStopping) break;
      const again = setTimeout(() => this.#bell.ring(), LIST_EVERY_MS);
      await this.#bell.wait();
      clearTimeout(again);
    }
    stop();
  }

  async #look(): Promise<void> {
    const gone = new Set(this.#lines.keys());
    for (let after: string | undefined; ; ) {
      const page: Subscription[] = await this.#options.deliveries.list({ after, limit: PAGE });
      if (this.#isStopping) return;
      for (const subscription of page) if (this.#keep(subscription)) gone.delete(subscription.name);
      if (page.length < PAGE) break;
      after = page.at(-1)?.name;
    }
    for (const name of gone) this.#end(name);
  }

  #keep({ name, webhook, version }: Subscription): boolean {
    if (webhook === undefined || webhook.disabledReason !== null) return false;
    const line = this.#lines.get(name);
    if (line !== undefined && !line.isStopping) line.update({ webhook, version });
    else {
      if (line !== undefined) this.#end(name);
      this.#lines.set(name, new WebhookLine(name, { webhook, version }, this.#options.line));
    }
    return true;
  }

  #end(name: string): void {
    const line = this.#lines.get(name);
    if (line === undefined) return;
    this.#lines.delete(name);
    this.#ending.add(line);
    line.stop();
    void line.ended.finally(() => this.#ending.delete(line));
  }
}
