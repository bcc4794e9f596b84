import type { WireEvent } from '../../client/index.ts';
import type { Facts } from './expectation.ts';
import type { Lab } from './lab.ts';
import type { Step } from './step.ts';

const PAID = { status: 'paid' };
const REFUNDED = { status: 'refunded' };

export const oneEvent: Step = {
  title: 'One event',
  story: 'One request with one event. The answer comes when the event is on disk.',
  expected: {
    verdicts: ['stored'],
    received: 1,
    unique_processed: 1,
    duplicate_dropped: 0,
    conflicts: 0,
    'events to read': 1,
  },
  run: async (lab) => ({ seen: await publishEach(lab, [[lab.event('order-1', PAID)]]) }),
};

export const threeTimes: Step = {
  title: 'The same event three times',
  story: 'A publisher that heard no answer sends again. Three requests, one event.',
  expected: {
    verdicts: ['stored', 'duplicate', 'duplicate'],
    received: 3,
    unique_processed: 1,
    duplicate_dropped: 2,
    conflicts: 0,
    'events to read': 1,
  },
  async run(lab) {
    const event = lab.event('order-1', PAID);
    return { seen: await publishEach(lab, [[event], [event], [event]]) };
  },
};

export const duplicateInBatch: Step = {
  title: 'A batch with a duplicate',
  story: 'One request with three events, the third equal to the first.',
  expected: {
    verdicts: ['stored', 'stored', 'duplicate'],
    received: 3,
    unique_processed: 2,
    duplicate_dropped: 1,
    conflicts: 0,
    'events to read': 2,
  },
  async run(lab) {
    const first = lab.event('order-1', PAID);
    return { seen: await publishEach(lab, [[first, lab.event('order-2', PAID), first]]) };
  },
};

export const conflict: Step = {
  title: 'A conflict',
  story:
    'The event_id of a stored event comes with another payload: the first one stays, the other is kept aside.',
  expected: {
    verdicts: ['stored', 'conflict'],
    received: 2,
    unique_processed: 1,
    duplicate_dropped: 1,
    conflicts: 1,
    'events to read': 1,
    'payload that stays': JSON.stringify(PAID),
    'payload kept aside': [JSON.stringify(REFUNDED)],
  },
  async run(lab) {
    const seen = await publishEach(lab, [[lab.event('order-1', PAID)], [lab.event('order-1', REFUNDED)]]);
    const event = await lab.find('order-1');
    return {
      seen: {
        ...seen,
        'payload that stays': JSON.stringify(event.payload),
        'payload kept aside': event.conflicts.map(({ payload }) => JSON.stringify(payload)),
      },
    };
  },
};

/** One request after the other, and what became of it all. */
async function publishEach(lab: Lab, requests: readonly (readonly WireEvent[])[]): Promise<Facts> {
  const { result: verdicts, counted } = await lab.counting(async () => {
    const found: string[] = [];
    for (const events of requests) {
      const { results = [] } = await lab.publish(events, { results: 'all' });
      found.push(...results.map(({ verdict }) => verdict));
    }
    return found;
  });
  return { verdicts, ...counted, 'events to read': (await lab.readBack()).length };
}
