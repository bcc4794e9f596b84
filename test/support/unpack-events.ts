import type { Event } from '../../src/event.ts';
import type { EventPack } from '../../src/store/event-pack.ts';

/** The events of a pack as objects, or some of them. */
export function unpackEvents(pack: EventPack, first = 0, count = pack.length - first): Event[] {
  return Array.from({ length: count }, (_, i) => pack.event(first + i));
}
