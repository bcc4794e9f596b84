/** Any history of batches, duplicates, conflicts, invalid events, restarts and crashes gives what this model says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { WireEvent, WireReceipt } from '../../src/client/index.ts';
import { SekaliError } from '../../src/errors.ts';
import { BatchDecoder } from '../../src/ingest/decode.ts';
import { OpenGroup, type PublishRequest } from '../../src/ingest/open-group.ts';
import type { PublishAnswer } from '../../src/protocol/wire.ts';
import { EventPack } from '../../src/store/event-pack.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeEvent } from '../support/make-events.ts';
import { PostgresHarness } from '../support/postgres-harness.ts';
import { useServices } from '../support/services/services.ts';
import { SqliteHarness, TINY_GENERATIONS } from '../support/sqlite-harness.ts';
import { EVERYTHING, LIMITS, type StoreHarness } from './store/case.ts';

interface Draw {
  topic: string;
  id: string;
  content: number;
  valid: boolean;
}

type Step =
  | { kind: 'publish'; requests: { events: Draw[]; atomic: boolean }[] }
  | { kind: 'restart' | 'crash' | 'settle' };

/** What Sekali promises, in the fewest words. */
class Model {
  readonly events: { key: string; content: number }[] = [];
  readonly topics = new Map<string, { events: number; duplicates: number; conflicts: number }>();
  /** When each event was stored, as the first answer about it said. */
  readonly storedAt = new Map<number | null, string | null>();
  counters = {
    received: 0,
    unique_processed: 0,
    duplicate_dropped: 0,
    conflicts: 0,
    rejected: 0,
    dead_lettered: 0,
    consumed: {},
  };

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
  {
    weight: 2,
    // "settle": what is being sealed or merged comes to its end before it goes on.
    arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'crash' as const, 'settle' as const) }),
  },
);

// Both: with generations of a few keys sealing, merging and adopting come in between everything else, and most keys are
// found in files; without, they are found in the table that is filled from the log of keys.
for (const { how, options, numRuns } of [
  { how: 'keys in memory', options: {}, numRuns: 100 },
  { how: 'keys sealed by the handful', options: TINY_GENERATIONS, numRuns: 100 },
]) {
  test(`any history gives the verdicts, positions and counters of the model, ${how}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await using harness = new SqliteHarness(() => options);
        await live(harness, steps);
      }),
      { numRuns },
    );
  });
}

// The same model for both: what one history is answered is the same on either store.
const services = useServices('postgres');
test(
  'any history gives the verdicts, positions and counters of the model, PostgreSQL',
  services.options,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await using harness = new PostgresHarness(await services.postgres());
        await live(harness, steps);
      }),
      { numRuns: 25 },
    );
  },
);

async function live(harness: StoreHarness, steps: readonly Step[]): Promise<void> {
  const model = new Model();
  let store = await harness.open();
  let publisher = new Publisher(store);
  for (const next of steps) {
    if (next.kind === 'publish') await publisher.publish(model, next.requests);
    else if (next.kind === 'settle') {
      if (store instanceof SqliteStore) await store.settled();
    } else {
      if (next.kind === 'crash') await harness.crash(store);
      else await store.close();
      store = await harness.open();
      publisher = new Publisher(store);
    }
    await compare(store, model);
  }
}

/** The ingest stage, without its thread: one decoder, one pack after the other in the same memory. */
class Publisher {
  readonly #store: Store;
  readonly #decoder: BatchDecoder;
  readonly #pack = new EventPack();

  constructor(store: Store) {
    this.#store = store;
    this.#decoder = new BatchDecoder(LIMITS, store.secrets);
  }

  /** Publishes the requests as one commit group, and compares what each is told. */
  async publish(model: Model, requests: readonly { events: Draw[]; atomic: boolean }[]): Promise<void> {
    const group = new OpenGroup(this.#decoder, this.#pack);
    for (const { events, atomic } of requests) group.add(toRequest(events, atomic));
    const outcomes = group.outcomes(await this.#store.append(group));
    assert.equal(outcomes.length, requests.length);
    requests.forEach(({ events, atomic }, i) => {
      const expected = model.publish(events, atomic);
      const outcome = outcomes[i]!;
      if (expected === undefined) {
        assert.ok(outcome instanceof SekaliError, 'the request must be refused');
        assert.ok(['batch_refused', 'events_invalid'].includes(outcome.code), outcome.code);
        return;
      }
      assert.equal(typeof outcome, 'string', 'the request must be taken');
      checkAnswer(JSON.parse(outcome as string) as PublishAnswer, events, expected, model);
    });
  }
}

function checkAnswer(
  answer: PublishAnswer,
  events: readonly Draw[],
  expected: { verdict: string; position: number | null }[],
  { storedAt }: Model,
): void {
  const results = answer.results ?? [];
  assert.deepEqual(results.map(verdictAndPosition), expected);
  assert.equal(answer.accepted, sum(answer));
  assert.equal(answer.count, answer.accepted + answer.rejected);
  results.forEach(({ verdict, position, topic, event_id, first_seen_at }, i) => {
    assert.equal(event_id, events[i]?.id);
    if (verdict === 'rejected') return;
    assert.equal(topic, events[i]?.topic);
    if (verdict === 'stored') storedAt.set(position, first_seen_at);
    assert.equal(first_seen_at, storedAt.get(position));
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
