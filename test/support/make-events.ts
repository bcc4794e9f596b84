import type { WireEvent } from '../../src/client/index.ts';

/** A valid event; every member can be replaced. */
export function makeEvent(change: Partial<WireEvent> = {}): WireEvent {
  return {
    topic: 'orders',
    event_id: 'order-1',
    timestamp: '2026-01-31T12:00:00.000000Z',
    source: 'shop',
    payload: { total: 129.95 },
    ...change,
  };
}

/** Events with the ids `PREFIX0`, `PREFIX1`, … */
export function makeEvents(count: number, prefix = 'event-', change: Partial<WireEvent> = {}): WireEvent[] {
  return Array.from({ length: count }, (_, i) =>
    makeEvent({ event_id: `${prefix}${i}`, payload: { i }, ...change }),
  );
}
