import { backoffMs } from '../client/backoff.ts';
import { failpoint } from '../failpoint.ts';
import { messageOf } from '../message-of.ts';
import type { Entry, QueueConsumer } from '../queue/queue.ts';
import { type Claimed, Claims } from './claims.ts';
import type { LogMessage } from './consume-messages.ts';
import { Finisher } from './finisher.ts';
import { StoreKeeper } from './store-keeper.ts';
import type { WorkerParts, WorkerSettings } from './worker-settings.ts';

/**
 * A worker takes entries from the queue to the store: claim → consume → acknowledge, one bundle (bundle.ts) after the other.
 *
 * An entry ends in one of two ways, and is acknowledged only then: *consumed*, its events are in the store, or *dead*, it
 * is in the store's dead letters with the reason. Until then it is *held* by the worker that claimed it last.
 *
 * - Held for longer than the queue's `claimMs`, it may be another worker's too. It is tried all the same: the store knows
 *   which entries it has consumed, so whoever comes second is told so, and has only to acknowledge.
 * - The store is away: what is held stays held until the store has answered, and nothing is claimed, not even to look. So an
 *   outage, however long, is no failure of an entry and does not make it look like one that ends its workers, as it
 *   would if it were given back and claimed again and again. A worker without entries asks the store each time
 *   before it waits for some.
 * - The store refuses a bundle: each of its entries is tried by itself, and those that are refused are left unacknowledged.
 *   They come again after `claimMs`, to any worker, with one attempt more: the queue keeps the time and the
 *   count, which live longer than a worker, and nothing waits behind them. At `attemptsMax` the entry is dead.
 * - The entry is of a newer version of Sekali, as in the middle of an upgrade: left unacknowledged in the same way, for a newer worker.
 * - The entry cannot be read, or was handed out more than twice `attemptsMax` times: it is dead without another try.
 */
export class Worker {
  readonly #queue: QueueConsumer;
  readonly #settings: WorkerSettings;
  readonly #parts: WorkerParts;
  readonly #claims: Claims;
  readonly #store: StoreKeeper;
  readonly #finisher: Finisher;
  readonly #down = new Map<Part, string>();
  #queueFailures = 0;
  #isIdle = true;

  constructor(settings: WorkerSettings, parts: WorkerParts) {
    this.#queue = parts.queue;
    this.#settings = settings;
    this.#parts = parts;
    const handedOutMax = 2 * settings.attemptsMax;
    this.#claims = new Claims(parts.queue, { ...settings, handedOutMax });
    this.#store = new StoreKeeper({
      open: parts.openStore,
      sleep: parts.sleep,
      backoff: settings.backoff,
      onState: (downReason) => this.#setState('store', downReason),
    });
    this.#finisher = new Finisher(settings.attemptsMax, {
      store: this.#store,
      ack: (entries) => this.#ack(entries),
      log: (level, message, fields) => this.#log(level, message, fields),
    });
  }

  /** What the worker waits for, while it does. */
  get downReason(): string | undefined {
    return [...this.#down.values()].join('; ') || undefined;
  }

  /** Works until the signal is aborted and what is held is done with, or cannot be while the store is away. */
  async start(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted || (this.#claims.holdsSome && this.#store.isOpen)) await this.runOnce(signal);
    } finally {
      await this.#store.close();
    }
  }

  /** One bundle from its claim to its acknowledgement; or waits for one, for `waitMs` at most. */
  async runOnce(signal: AbortSignal): Promise<void> {
    if (this.#isIdle && !(await this.#store.check(signal))) return;
    const bundle = await this.#next(signal);
    this.#isIdle = bundle === undefined;
    if (bundle === undefined) return;
    failpoint('consume.claimed');
    const finished = this.#finisher.finish(bundle, signal);
    // After the call has gone to the store, so that the time it takes is the store's.
    if (!signal.aborted && !bundle.isSuspect) this.#claims.readAhead(signal);
    await finished;
  }

  async #next(signal: AbortSignal): Promise<Claimed | undefined> {
    try {
      const bundle = await this.#claims.next(signal);
      this.#queueFailures = 0;
      this.#setState('queue', undefined);
      return bundle;
    } catch (error) {
      this.#setState('queue', messageOf(error));
      const ms = backoffMs(++this.#queueFailures, this.#settings.backoff);
      await this.#parts.sleep(ms, signal).catch(() => undefined); // aborted: the loop sees it
      return undefined;
    }
  }

  /** Tried once: an entry whose acknowledgement was lost comes again, and the store knows it. */
  async #ack(entries: readonly Entry[]): Promise<void> {
    try {
      await this.#queue.ack(entries);
      failpoint('consume.acked');
    } catch (error) {
      this.#setState('queue', messageOf(error));
    }
  }

  #setState(part: Part, reason: string | undefined): void {
    const before = this.#down.get(part);
    if (before === reason) return;
    if (reason === undefined) {
      this.#down.delete(part);
      this.#log('info', `The worker has the ${part} again.`);
    } else {
      this.#down.set(part, reason);
      if (before === undefined)
        this.#log('warn', `The worker is without the ${part}, and tries again.`, { reason });
    }
    this.#parts.onState();
  }

  #log(level: LogMessage['level'], message: string, fields: LogMessage['fields'] = {}): void {
    this.#parts.log({ kind: 'log', level, message, fields });
  }
}

type Part = 'store' | 'queue';
