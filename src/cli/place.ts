import { parseInstant } from '../instant.ts';
import type { WireStart } from '../protocol/subscriptions-wire.ts';
import type { Kind } from '../settings.ts';

export const PLACE_FORM = 'earliest|latest|POSITION|TIME';

/**
 * A place in the log, as it is given to a command: `earliest`, `latest`, a position (the place after it, as with `--after`; 0 is before
 * the first event), or a time.
 */
export const place: Kind<WireStart | undefined> = {
  isSwitch: false,
  read(given) {
    if (given === 'earliest' || given === 'latest') return { value: given };
    if (/^\d+$/.test(given) && Number.isSafeInteger(Number(given)))
      return { value: { after: Number(given) } };
    if (parseInstant(given) !== undefined) return { value: { since: given } };
    return { rule: 'earliest, latest, a position, or a time as 2026-01-31T12:00:00Z' };
  },
};
