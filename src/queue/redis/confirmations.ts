import { setImmediate as nextTurn } from 'node:timers/promises';
import { SekaliError } from '../../errors.ts';
import type { Confirmation } from './promise.ts';
import type { RedisSession } from './session.ts';

const CONFIRM_WAIT_MS = 4000;

/**
 * Waits until what was written is confirmed. WAIT and WAITAOF confirm all that was written before them on the same session,
 * and hold up what comes after. So writes share a round: those whose replies came while one was under way are all confirmed by the
 * next.
 */
export class Confirmations {
  readonly #session: Pick<RedisSession, 'send'>;
  readonly #confirmation: Confirmation;
  #running: Promise<void> = Promise.resolve();
  /** A round that is not sent yet. */
  #next: Promise<void> | undefined;

  constructor(session: Pick<RedisSession, 'send'>, confirmation: Confirmation) {
    this.#session = session;
    this.#confirmation = confirmation;
  }

  /** Of all that had its reply on this session by now. @throws SekaliError `queue_unavailable` when it is not confirmed in time */
  async confirm(): Promise<void> {
    if (this.#confirmation.kind === 'none') return;
    this.#next ??= this.#round(this.#running);
    await this.#next;
  }

  async #round(before: Promise<void>): Promise<void> {
    // A round that failed has told those who were in it.
    await before.catch(() => {});
    // Replies that came together are taken together.
    await nextTurn();
    this.#running = this.#next!;
    this.#next = undefined;
    await this.#ask();
  }

  async #ask(): Promise<void> {
    const { kind } = this.#confirmation;
    if (kind === 'none') return;
    const { replicas } = this.#confirmation;
    const timeout = String(CONFIRM_WAIT_MS);
    const options = { waitMs: CONFIRM_WAIT_MS };
    if (kind === 'replicas') {
      const had = (await this.#session.send(['WAIT', String(replicas), timeout], options)) as number;
      if (had < replicas) throw unconfirmed(`only ${had} of ${replicas} replicas have`);
    } else {
      const reply = await this.#session.send(['WAITAOF', '1', String(replicas), timeout], options);
      const [here, had] = reply as [number, number];
      if (here < 1) throw unconfirmed('Redis has not written to disk');
      if (had < replicas) throw unconfirmed(`only ${had} of ${replicas} replicas have written to disk`);
    }
  }
}

function unconfirmed(who: string): SekaliError {
  return new SekaliError(
    'queue_unavailable',
    `Within ${CONFIRM_WAIT_MS} ms ${who} what was enqueued: whether it stays is unknown.`,
  );
}
