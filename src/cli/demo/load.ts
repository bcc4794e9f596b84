import type { WireEvent } from '../../client/index.ts';
import type { Lab } from './lab.ts';

export interface LoadShape {
  /** Events to send, duplicates included. */
  readonly events: number;
  /** How many of them repeat an earlier one; fewer than `events`. */
  readonly duplicates: number;
  readonly eventsPerRequest: number;
}

/**
 * The requests of a load. The duplicates are spread evenly and exact in number; which event each of them repeats is
 * chance: one of the same request, or one from long ago.
 */
export function makeLoad(
  lab: Pick<Lab, 'event'>,
  { events, duplicates, eventsPerRequest }: LoadShape,
): WireEvent[][] {
  const unique: WireEvent[] = [];
  const all = Array.from({ length: events }, (_, i) => {
    const isDuplicate = Math.floor(((i + 1) * duplicates) / events) > Math.floor((i * duplicates) / events);
    const earlier = isDuplicate ? unique[Math.floor(Math.random() * unique.length)] : undefined;
    const event = earlier ?? lab.event(`event-${unique.length}`, { number: unique.length });
    if (event !== earlier) unique.push(event);
    return event;
  });
  return Array.from({ length: Math.ceil(events / eventsPerRequest) }, (_, i) =>
    all.slice(i * eventsPerRequest, (i + 1) * eventsPerRequest),
  );
}

/** Does something with every item, with so many at a time; the results come in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  // The workers share one iterator, so each takes the next item that nobody has.
  const entries = items.entries();
  async function worker(): Promise<void> {
    for (const [index, item] of entries) results[index] = await work(item);
  }
  await Promise.all(Array.from({ length: atATime }, worker));
  return results;
}
