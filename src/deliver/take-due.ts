import { PAGE_LENGTH_MAX, type StoredEvent } from '../store/store-reader.ts';
import type { HandOut, Outstanding } from '../store/subscription-store.ts';
import { isSpent, reasonOfSpent } from './attempts.ts';
import type { DeliveryReader } from './delivery-reader.ts';

/** Events that are read together: some of the largest are within what a hand-out may hold. */
const EVENTS_AT_ONCE = 50;

export const REASON_RETIRED = 'retention removed the event before it was acknowledged';

/** What is to become of events that are due. The others that are due stay so. */
export interface DueTaken {
  /** To be handed out again, by position, with this attempt counted. */
  readonly again: { readonly event: StoredEvent; readonly attempt: number }[];
  readonly dead: { readonly position: number; readonly reason: string }[];
  /** Characters of payload. */
  readonly length: number;
}

/** Those who have been due for longest, until there are enough of them or their payloads are too long together. */
export async function takeDue(
  hand: Pick<HandOut, 'due' | 'subscription'>,
  reader: Pick<DeliveryReader, 'eventsAt'>,
  eventsMax: number,
): Promise<DueTaken> {
  const taken = { again: [] as DueTaken['again'], dead: [] as DueTaken['dead'], length: 0 };
  const alive: Outstanding[] = [];
  for (const row of await hand.due(eventsMax)) {
    if (isSpent(row, hand.subscription))
      taken.dead.push({ position: row.position, reason: reasonOfSpent(row) });
    else alive.push(row);
  }
  for (let i = 0; i < alive.length && taken.length < PAGE_LENGTH_MAX; i += EVENTS_AT_ONCE) {
    const rows = alive.slice(i, i + EVENTS_AT_ONCE);
    const events = await reader.eventsAt(rows.map(({ position }) => position));
    for (const [n, { position, attempts }] of rows.entries()) {
      const event = events[n];
      if (event === undefined) {
        taken.dead.push({ position, reason: REASON_RETIRED });
        continue;
      }
      taken.again.push({ event, attempt: attempts + 1 });
      taken.length += event.payload.length;
    }
  }
  taken.again.sort((a, b) => a.event.position - b.event.position);
  return taken;
}
