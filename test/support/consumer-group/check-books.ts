import assert from 'node:assert/strict';
import type { Sekali, WireStoredEvent } from '../../../src/client/index.ts';
import { until } from '../until.ts';
import { amountOf, type Found, type Sum } from './books.ts';

/** Waits until all is stored, handed out, and acknowledged or dead. */
export async function untilSettled(client: Sekali, name: string): Promise<void> {
  let last = '';
  try {
    await until('all is settled', async () => {
      const { queued } = await client.stats();
      const { lag, leased, waiting } = await client.subscriptions.get(name);
      last = JSON.stringify({ queued, lag, leased, waiting });
      return queued === 0 && lag.events === 0 && leased === 0 && waiting === 0;
    });
  } catch (error) {
    throw new Error(`${name} is at ${last}`, { cause: error });
  }
}

/** Of the topics with this first word, from the store. */
export async function readEvents(client: Sekali, scope: string): Promise<WireStoredEvent[]> {
  const events: WireStoredEvent[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page = await client.events({ after, limit: 1000 });
    events.push(...page.events.filter(({ topic }) => topic.startsWith(`${scope}.`)));
    after = page.next;
  }
  return events;
}

/** The sums are those of these events, and each has its mark. */
export function checkBooks(found: Found, events: readonly WireStoredEvent[]): void {
  assert.deepEqual(found.sums, sumsOf(events), 'the sums are not those of the events in the store');
  const marks = new Set(found.marks);
  const missing = events
    .map(({ topic, event_id, position }) => `${topic} ${event_id} ${position}`)
    .filter((mark) => !marks.has(mark));
  assert.deepEqual(missing, [], 'events without a mark');
  assert.equal(marks.size, events.length, 'there are marks of no event');
}

function sumsOf(all: readonly WireStoredEvent[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const event of all) {
    const { topic } = event;
    const { events, total } = sums.get(topic) ?? { events: 0, total: 0 };
    sums.set(topic, { topic, events: events + 1, total: total + amountOf(event) });
  }
  return [...sums.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
}
