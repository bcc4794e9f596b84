/** Any history of batches, duplicates, conflicts, invalid events, restarts and crashes gives what this model says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { WireEvent, WireReceipt } from '../../src/client/index.ts';
import { commitGroup, type PublishRequest } from '../../src/ingest/committer.ts';
import type { PublishAnswer } from '../../src/protocol/wire.ts';
import type { Store } from '../../src/store/store.ts';
import { makeEvent } from '../support/make-events.ts';
import { SqliteHarness } from '../support/sqlite-harness.ts';
import { EVERYTHING, LIMITS } from './store/case.ts';

interface Draw {
  topic: string;
  id: string;
  content: number;
  valid: boolean;
}

type Step =
  | { kind: 'publish'; requests: { events: Draw[]; atomic: boolean }[] }
  | { kind: 'restart' | 'crash' };

/** What Sekali promises, in the fewest words. */
class Model {
  readonly events: { key: string; content: number }[] = [];
  readonly topics = new Map<string, { events: number; duplicates: number; conflicts: number }>();
  counters = { received: 0, unique_processed: 0, duplicate_dropped: 0, conflicts: 0, rejected: 0 };

  publish(
    events: readonly Draw[],
    atomic: boolean,
  ): { verdict: string; position: number | null }[] | undefined {
    const invalid = events.filter((event) => !event.valid).length;
    const refused = (atomic && invalid > 0) || invalid === events.length;
    this.counters.rejected += refused ? events.length : invalid;
    if (refused) return undefined;
    return events.map((event) => (event.valid ? this.#one(event) : { verdict: 'rejected', position: null }));
  }

  #one({ topic, id, content }: Draw): { verdict: string; position: number } {
    const key = JSON.stringify([topic, id]);
    const counted = this.topics.get(topic) ?? { events: 0, duplicates: 0, conflicts: 0 };
    this.topics.set(topic, counted);
    this.counters.received++;
    const first = this.events.findIndex((event) => event.key === key);
    if (first === -1) {
      this.events.push({ key, content });
      this.counters.unique_processed++;
      counted.events++;
      return { verdict: 'stored', position: this.events.length };
    }
    this.counters.duplicate_dropped++;
    const same = this.events[first]?.content === content;
    if (same) counted.duplicates++;
    else {
      counted.conflicts++;
      this.counters.conflicts++;
    }
    return { verdict: same ? 'duplicate' : 'conflict', position: first + 1 };
  }
}

// Few keys and contents, so that they meet.
const draw: fc.Arbitrary<Draw> = fc.record({
  topic: fc.constantFrom('a', 'b', 'A'),
  id: fc.constantFrom('1', '2', '3', '4', '5', 'é', 'e\u0301'),
  content: fc.integer({ min: 0, max: 2 }),
  valid: fc.integer({ min: 0, max: 9 }).map((tenth) => tenth > 0),
});
const request = fc.record({ events: fc.array(draw, { minLength: 1, maxLength: 12 }), atomic: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      requests: fc.array(request, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'crash' as const) }) },
);

test('any history gives the verdicts, positions and counters of the model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await using harness = new SqliteHarness();
      const model = new Model();
      let store = await harness.open();
      for (const next of steps) {
        if (next.kind === 'publish') await publish(store, model, next.requests);
        else {
          if (next.kind === 'crash') await harness.crash(store);
          else await store.close();
          store = await harness.open();
        }
        await compare(store, model);
      }
    }),
    { numRuns: 150 },
  );
});

/** Publishes the requests as one commit group, and compares what each is told. */
async function publish(
  store: Store,
  model: Model,
  requests: readonly { events: Draw[]; atomic: boolean }[],
): Promise<void> {
  const outcomes = await commitGroup(
    store,
    LIMITS,
    requests.map(({ events, atomic }) => toRequest(events, atomic)),
  );
  requests.forEach(({ events, atomic }, i) => {
    const expected = model.publish(events, atomic);
    const outcome = outcomes[i]!;
    if (expected === undefined) {
      assert.ok(outcome instanceof Error, 'the request must be refused');
      return;
    }
    assert.ok(!(outcome instanceof Error), 'the request must be taken');
    assert.deepEqual(outcome.results?.map(verdictAndPosition), expected);
    assert.equal(outcome.accepted, sum(outcome));
    assert.equal(outcome.count, outcome.accepted + outcome.rejected);
  });
}

async function compare(store: Store, model: Model): Promise<void> {
  assert.deepEqual(await store.counters(), model.counters);
  const { events } = await store.events(EVERYTHING);
  assert.deepEqual(
    events.map(({ topic, event_id, payload }) => ({
      key: JSON.stringify([topic, event_id]),
      content: (JSON.parse(payload) as { content: number }).content,
    })),
    model.events,
  );
  const topics = await store.topics({ after: undefined, limit: 10 });
  assert.deepEqual(
    Object.fromEntries(
      topics.map(({ topic, events, duplicates, conflicts }) => [topic, { events, duplicates, conflicts }]),
    ),
    Object.fromEntries(model.topics),
  );
}

function toRequest(events: readonly Draw[], atomic: boolean): PublishRequest {
  const body = Buffer.from(JSON.stringify(events.map(toEvent)));
  return { body, format: 'json', atomic, receipts: true };
}

function toEvent({ topic, id, content, valid }: Draw): WireEvent {
  const event = makeEvent({ topic, event_id: id, payload: { content } });
  return valid ? event : { ...event, timestamp: 'yesterday' };
}

function verdictAndPosition({ verdict, position }: WireReceipt) {
  return { verdict, position };
}

function sum({ processed, duplicates, conflicts, queued }: PublishAnswer): number {
  return (processed ?? 0) + (duplicates ?? 0) + (conflicts ?? 0) + queued;
}
