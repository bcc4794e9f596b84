import { randomUUID } from 'node:crypto';

/** What to publish: made in full before the clock starts. */
export interface Workload {
  /** Requests, each the JSON text of its events. */
  readonly bodies: readonly Buffer[];
  readonly events: number;
  readonly bytesPerEvent: number;
}

/**
 * Events as a shop's services would send them: random UUIDv4 ids (the worst case for a sorted index), 8 topics, about 290
 * bytes of JSON each.
 *
 * @param duplicates share of the events, 0 to 1, that repeat an earlier one, drawn evenly from all before it
 */
export function makeWorkload(events: number, batch: number, duplicates = 0): Workload {
  const sent: string[] = [];
  const bodies: Buffer[] = [];
  let bytes = 0;
  for (let made = 0; made < events; made += batch) {
    const texts: string[] = [];
    for (let i = made; i < Math.min(made + batch, events); i++) {
      const repeated = sent.length > 0 && Math.random() < duplicates;
      const text = repeated ? sent[Math.floor(Math.random() * sent.length)]! : printEvent(i);
      if (!repeated && duplicates > 0) sent.push(text);
      texts.push(text);
    }
    const body = Buffer.from(batch === 1 ? texts[0]! : `[${texts.join(',')}]`);
    bytes += body.length;
    bodies.push(body);
  }
  return { bodies, events, bytesPerEvent: Math.round(bytes / events) };
}

function printEvent(i: number): string {
  return JSON.stringify({
    topic: `orders.${i % 8}`,
    event_id: randomUUID(),
    timestamp: new Date(1_769_860_800_000 + i).toISOString(),
    source: 'checkout-service',
    payload: {
      user: `user-${i % 100_000}`,
      action: 'checkout',
      amount: 129.95,
      currency: 'EUR',
      items: [1, 2, 3],
      note: 'lorem ipsum dolor sit amet',
      ok: true,
    },
  });
}
