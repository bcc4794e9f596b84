/**
 * Any history of publishing, fetching, acknowledging, giving back, waiting, seeking, retention and restarts keeps each event in exactly one
 * state, and hands it out when, and only when, the model says that it may.
 */
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MemoryReader } from '../../test/support/memory-reader.ts';
import { History, type Step } from '../../test/support/subscription-history.ts';
import type { DeadSelection, SubscriptionDefinition } from '../store/subscription-store.ts';

const ACK_WAIT_MS = 100;

const position = fc.integer({ min: 0, max: 30 });
// The newest hand-outs, mostly, and now and then one long past.
const which = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 });
const selection: fc.Arbitrary<DeadSelection> = fc.oneof(
  fc.record({ positions: fc.array(position, { maxLength: 5 }) }),
  fc.record({ topic: fc.constantFrom(undefined, 'a', 'b.1') }),
);
const kind = <K extends Step['kind']>(name: K) => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('publish'),
      topics: fc.array(fc.constantFrom('a', 'a', 'b.1', 'b.2', 'other'), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: kind('fetch'), eventsMax: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('ack', 'extend'), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind('nack'),
      which,
      delayMs: fc.constantFrom(undefined, 0, 0, 30),
      as: fc.constantFrom(undefined, undefined, 'untried', 'dead'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind('wait'), ms: fc.constantFrom(1, 30, 50, ACK_WAIT_MS, 1000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('redrive', 'discard'), which: selection }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('seek'), cursor: position, dryRun: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('retire'), through: fc.integer({ min: 0, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('restart') }) },
);

const definition: fc.Arbitrary<SubscriptionDefinition> = fc.record({
  topics: fc.constant(['a', 'b.*']),
  ackWaitMs: fc.constant(ACK_WAIT_MS),
  attemptsMax: fc.constantFrom(0, 1, 2, 3),
  inFlightMax: fc.constantFrom(1, 2, 5, 100),
  backoff: fc.constant({ firstMs: 40, maxMs: 100 }),
  ordered: fc.boolean(),
});

test('any history keeps each event in one state, and hands out what may be, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      definition,
      fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
      fc.array(step, { minLength: 1, maxLength: 40 }),
      async (definition, span, steps) => {
        const history = new History(definition, new MemoryReader(span));
        await history.begin();
        for (const one of steps) {
          await history.take(one);
          await history.check();
        }
        await history.drain();
      },
    ),
    { numRuns: 1000 },
  );
});
