import { ClientError } from './client-error.ts';
import type { ClientLog } from './options.ts';
import { tell } from './tell.ts';

/** Damages that are kept for `flush`; all are told. */
const DAMAGES_KEPT = 100;

/** What a spool has found wrong while nobody waited for it. */
export class SpoolFindings {
  readonly #log: ClientLog;
  readonly #onSpoolError: ((error: ClientError) => void) | undefined;
  #damages: ClientError[] = [];

  constructor(log: ClientLog, onSpoolError: ((error: ClientError) => void) | undefined) {
    this.#log = log;
    this.#onSpoolError = onSpoolError;
  }

  addDamages(damages: readonly ClientError[]): void {
    for (const damage of damages) this.tell(damage);
    this.#damages.push(...damages.slice(0, DAMAGES_KEPT - this.#damages.length));
  }

  tell(error: ClientError): void {
    this.#log.warn(`sekali: ${error.message}`);
    tell(this.#log, () => this.#onSpoolError?.(error));
  }

  /** @throws ClientError `spool_damaged` when there was damage since the last time, caused by what has gone wrong besides */
  throwDamages(cause: ClientError | undefined): void {
    const details = this.#damages;
    const [damage] = details;
    this.#damages = [];
    if (damage) throw new ClientError(damage.code, damage.message, { details, cause });
  }
}
